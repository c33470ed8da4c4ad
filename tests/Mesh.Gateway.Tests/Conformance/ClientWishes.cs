using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>What client-go, kubectl and helm really ask for, line by line (the rest of the lines is shown where the marks are).</summary>
[Collection("gateway")]
public sealed class ClientWishes(GatewayHost api)
{
    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    [Theory, Compatibility(1)]
    [InlineData("/api/v1/namespaces/default/configmaps", "", "v1", "ConfigMap", """{"metadata":{"name":"NAME"},"data":{"k":"v"}}""")]
    [InlineData("/api/v1/namespaces/default/secrets", "", "v1", "Secret", """{"metadata":{"name":"NAME"},"type":"helm.sh/release.v1","data":{"release":"AAEC"}}""")]
    [InlineData("/apis/apps/v1/namespaces/default/deployments", "apps", "v1", "Deployment", """{"metadata":{"name":"NAME"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""")]
    [InlineData("/apis/batch/v1/namespaces/default/jobs", "batch", "v1", "Job", """{"metadata":{"name":"NAME"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}""")]
    [InlineData("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", "rbac.authorization.k8s.io", "v1", "Role", """{"metadata":{"name":"NAME"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}""")]
    [InlineData("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", "autoscaling", "v2", "HorizontalPodAutoscaler", """{"metadata":{"name":"NAME"},"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}}}""")]
    public async Task Protobuf_bodies_are_taken_and_given(string path, string group, string version, string kind, string json)
    {
        var schema = ApiSchema.Builtin.FindKind(group, version, kind)!;
        var name = "wire-" + kind.ToLowerInvariant();
        var sent = JsonNode.Parse(json.Replace("NAME", name, StringComparison.Ordinal))!.AsObject();
        sent["kind"] = kind;
        sent["apiVersion"] = group.Length == 0 ? version : group + "/" + version;

        // As kubectl create: protobuf there, whatever the server likes best back.
        var made = await SendAsync(HttpMethod.Post, path, sent, schema, Protobuf + ",application/json");
        Assert.Equal((201, Protobuf), ((int)made.StatusCode, made.Content.Headers.ContentType!.MediaType));
        var back = ProtobufCodec.Decode(await made.Content.ReadAsByteArrayAsync());
        Assert.Equal((name, kind), (back.Name(), (string?)back["kind"]));
        Assert.False(string.IsNullOrEmpty(back.Uid()));

        // And the same object as JSON, as a list and as a frame of a watch.
        Assert.Equal(back.Uid(), (await api.ReadAsync($"{path}/{name}")).Uid());
        using var list = new HttpRequestMessage(HttpMethod.Get, path + "?fieldSelector=metadata.name%3D" + name);
        list.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(Protobuf));
        using var listed = await api.Client.SendAsync(list);
        Assert.Equal(back.Uid(), ProtobufCodec.Decode(await listed.Content.ReadAsByteArrayAsync()).Items()[0].Uid());
        using var watch = new HttpRequestMessage(HttpMethod.Get, path + "?watch=1&timeoutSeconds=30&fieldSelector=metadata.name%3D" + name);
        watch.Headers.TryAddWithoutValidation("Accept", Protobuf + ";stream=watch");
        using var watched = await api.Client.SendAsync(watch, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(Protobuf + ";stream=watch", watched.Content.Headers.NonValidated["Content-Type"].ToString());
        await using var frames = await watched.Content.ReadAsStreamAsync();
        var length = new byte[4];
        await frames.ReadExactlyAsync(length);
        var frame = new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(length)];
        await frames.ReadExactlyAsync(frame);
        var (type, seen) = ProtobufCodec.DecodeWatchEvent(frame);
        Assert.Equal(("ADDED", back.Uid()), (type, seen!.Uid()));

        // DeleteOptions come as protobuf too.
        var options = new JsonObject { ["kind"] = "DeleteOptions", ["apiVersion"] = "v1", ["preconditions"] = new JsonObject { ["uid"] = "other" }, ["propagationPolicy"] = "Background" };
        var optionsSchema = ApiSchema.Builtin.FindKind("", "v1", "DeleteOptions")!;
        Assert.Equal(409, (int)(await SendAsync(HttpMethod.Delete, $"{path}/{name}", options, optionsSchema, "application/json")).StatusCode);
        options["preconditions"]!["uid"] = back.Uid();
        Assert.Equal(200, (int)(await SendAsync(HttpMethod.Delete, $"{path}/{name}", options, optionsSchema, "application/json")).StatusCode);
    }

    [Fact, Compatibility(3)]
    public async Task OpenApi_comes_as_gnostic_protobuf_and_by_hashed_urls()
    {
        using var v2 = new HttpRequestMessage(HttpMethod.Get, "/openapi/v2");
        v2.Headers.TryAddWithoutValidation("Accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
        using var answer = await api.Client.SendAsync(v2);
        Assert.Equal((200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"), ((int)answer.StatusCode, answer.Content.Headers.NonValidated["Content-Type"].ToString()));
        Assert.Equal(0x0A, (await answer.Content.ReadAsByteArrayAsync())[0]); // field 1, the version of Swagger

        var index = (await api.ReadAsync("/openapi/v3"))["paths"]!.AsObject();
        foreach (var path in (string[])["api/v1", "apis/apps/v1", "apis/batch/v1"])
        {
            var url = (string)index[path]!["serverRelativeURL"]!;
            Assert.Matches($"^/openapi/v3/{path}\\?hash=[0-9A-F]+$", url);
            using var document = await api.Client.GetAsync(new Uri(url, UriKind.Relative));
            Assert.Contains("immutable", document.Headers.NonValidated["Cache-Control"].ToString());
            Assert.StartsWith("3.0", (string?)JsonNode.Parse(await document.Content.ReadAsStringAsync())!["openapi"]);
        }
    }

    [Fact, Compatibility(4)]
    public async Task An_informer_lists_by_its_watch()
    {
        var maps = await api.NamespaceAsync("stream") + "/configmaps";
        foreach (var name in (string[])["a", "b"]) await api.MakeAsync(maps, $$$$"""{"metadata":{"name":"{{{{name}}}}"}}""");
        using var watch = await api.WatchAsync(maps + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal(["a", "b"], [(await watch.NextAsync("ADDED")).Name(), (await watch.NextAsync("ADDED")).Name()]);
        var bookmark = await watch.NextAsync("BOOKMARK");
        Assert.Equal("true", (string?)bookmark["metadata"]!["annotations"]!["k8s.io/initial-events-end"]);
        Assert.Equal("ConfigMap", (string?)bookmark["kind"]);
        var later = await api.MakeAsync(maps, """{"metadata":{"name":"c"}}""");
        Assert.True(long.Parse(later.Revision()) > long.Parse(bookmark.Revision()));
        Assert.Equal("c", (await watch.NextAsync("ADDED")).Name());
    }

    [Theory, Compatibility(4)]
    [InlineData("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table")]
    [InlineData("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json", "PartialObjectMetadata")]
    [InlineData("application/vnd.kubernetes.protobuf;stream=watch,application/json", "ConfigMap")]
    [InlineData("application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json", "PartialObjectMetadata")]
    public async Task The_end_of_what_there_was_is_told_in_every_form(string accept, string kind)
    {
        var maps = await api.NamespaceAsync("ends") + "/configmaps";
        await api.MakeAsync(maps, """{"metadata":{"name":"a"}}""");
        using var request = new HttpRequestMessage(HttpMethod.Get, maps + "?watch=1&timeoutSeconds=50&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        using var lines = new StreamReader(body);
        var types = new List<string>();
        JsonNode last;
        do
        {
            string type;
            if (accept.Contains("protobuf", StringComparison.Ordinal))
            {
                var length = new byte[4];
                await body.ReadExactlyAsync(length);
                var frame = new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(length)];
                await body.ReadExactlyAsync(frame);
                (type, var obj) = ProtobufCodec.DecodeWatchEvent(frame);
                last = obj!;
            }
            else
            {
                var line = JsonNode.Parse((await lines.ReadLineAsync())!)!;
                (type, last) = ((string)line["type"]!, line["object"]!);
            }

            types.Add(type);
        }
        while (types[^1] != "BOOKMARK");

        Assert.Equal(["ADDED", "BOOKMARK"], types);
        Assert.Equal(kind, (string?)last["kind"]);
        var meta = kind == "Table" ? last["rows"]![0]!["object"]!["metadata"]! : last["metadata"]!;
        Assert.Equal("true", (string?)meta["annotations"]!["k8s.io/initial-events-end"]);
    }

    [Theory, Compatibility(4)]
    [InlineData("sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")]
    [InlineData("sendInitialEvents=false&resourceVersionMatch=Exact", "[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]")]
    [InlineData("watch=1&sendInitialEvents=true", "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")]
    [InlineData("watch=1&resourceVersionMatch=NotOlderThan", "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")]
    public async Task Options_of_a_watch_do_not_go_with_a_list_nor_the_reverse(string query, string why)
    {
        var (code, status) = await api.GetAsync("/api/v1/namespaces/default/configmaps?" + query);
        Assert.Equal((422, "ListOptions.meta.k8s.io \"\" is invalid: " + why), (code, (string?)status["message"]));
    }

    [Fact, Compatibility(5)]
    public async Task Apply_keys_ports_by_the_default_protocol()
    {
        const string Path = "/api/v1/namespaces/default/services/wish-keys?fieldManager=";
        const string Service = """{"apiVersion":"v1","kind":"Service","metadata":{"name":"wish-keys"},"spec":{"ports":[{"port":80,"name":"x"}]}}""";
        Assert.Equal(201, (await ApplyAsync(Path + "one", Service)).Code);
        var (code, again) = await ApplyAsync(Path + "one", Service.Replace("\"name\":\"x\"", "\"name\":\"y\",\"protocol\":\"TCP\"", StringComparison.Ordinal));
        Assert.Equal(200, code);
        Assert.Equal(("TCP", "y"), ((string?)Assert.Single(again["spec"]!["ports"]!.AsArray())!["protocol"], (string?)again["spec"]!["ports"]![0]!["name"]));
        Assert.Contains("k:{\"port\":80,\"protocol\":\"TCP\"}", again["metadata"]!["managedFields"]![0]!["fieldsV1"]!["f:spec"]!["f:ports"]!.AsObject().Select(static p => p.Key));
    }

    [Fact, Compatibility(7)]
    public async Task Tables_come_for_gets_and_watches_with_what_they_are_to_include()
    {
        const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        var maps = await api.NamespaceAsync("tables") + "/configmaps";
        await api.MakeAsync(maps, """{"metadata":{"name":"m"},"data":{"k":"v"}}""");
        foreach (var (include, kind) in ((string, string?)[])[("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap"), ("None", null)])
        {
            var table = await api.ReadAsync($"{maps}?includeObject={include}", Table);
            Assert.Equal(("Table", "m"), ((string?)table["kind"], (string?)table["rows"]![0]!["cells"]![0]));
            Assert.Equal(kind, (string?)table["rows"]![0]!["object"]?["kind"]);
        }

        var pods = await api.ReadAsync("/api/v1/namespaces/default/pods", Table);
        Assert.Equal(["Name", "Ready", "Status", "Restarts", "Age"], pods["columnDefinitions"]!.AsArray().Where(static c => (int)c!["priority"]! == 0).Select(static c => (string)c!["name"]!));
        Assert.Equal(["IP", "Node", "Nominated Node", "Readiness Gates"], pods["columnDefinitions"]!.AsArray().Where(static c => (int)c!["priority"]! > 0).Select(static c => (string)c!["name"]!));

        using var request = new HttpRequestMessage(HttpMethod.Get, maps + "?watch=1");
        request.Headers.TryAddWithoutValidation("Accept", Table);
        using var answer = await api.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var watch = new WatchLines(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
        var row = await watch.NextAsync("ADDED");
        Assert.Equal(("Table", "m"), ((string?)row["kind"], (string?)row["rows"]![0]!["cells"]![0]));
    }

    [Fact, Compatibility(9)]
    public async Task Lists_come_in_chunks_and_a_token_of_nobody_is_refused()
    {
        var maps = await api.NamespaceAsync("chunks") + "/configmaps";
        foreach (var i in Enumerable.Range(0, 5)) await api.MakeAsync(maps, $$$$"""{"metadata":{"name":"m{{{{i}}}}"}}""");
        var first = await api.ReadAsync(maps + "?limit=2");
        Assert.Equal((2, 3), (first.Items().Count, (int?)first["metadata"]!["remainingItemCount"]));
        var rest = await api.ReadAsync($"{maps}?limit=500&continue={(string?)first["metadata"]!["continue"]}");
        Assert.Equal((3, first.Revision()), (rest.Items().Count, rest.Revision()));
        Assert.Equal((400, "BadRequest"), await ReasonAsync(maps + "?limit=2&continue=nonsense"));
        Assert.Equal((400, "BadRequest"), await ReasonAsync($"{maps}?limit=2&resourceVersion=5&continue={(string?)first["metadata"]!["continue"]}"));
    }

    [Fact, Compatibility(10)]
    public async Task One_object_is_watched_by_its_name_and_events_by_what_they_are_about()
    {
        var ns = await api.NamespaceAsync("fields");
        using var watch = await api.WatchAsync(ns + "/configmaps?watch=1&fieldSelector=metadata.name%3Dmine");
        await api.MakeAsync(ns + "/configmaps", """{"metadata":{"name":"other"}}""");
        await api.MakeAsync(ns + "/configmaps", """{"metadata":{"name":"mine"}}""");
        Assert.Equal("mine", (await watch.NextAsync("ADDED")).Name());
        foreach (var about in (string[])["a", "b"])
        {
            await api.MakeAsync(ns + "/events", $$$$"""
                {"metadata":{"name":"e-{{{{about}}}}"},"involvedObject":{"kind":"Pod","name":"{{{{about}}}}","namespace":"{{{{ns.Split('/')[^1]}}}}","uid":"u-{{{{about}}}}"},"reason":"R","message":"m","type":"Normal"}
                """);
        }

        foreach (var selector in (string[])["involvedObject.name%3Da", "involvedObject.uid%3Du-a", "involvedObject.kind%3DPod,involvedObject.name%3Da,reason%3DR,type%3DNormal"])
            Assert.Equal("e-a", Assert.Single((await api.ReadAsync($"{ns}/events?fieldSelector={selector}")).Items()).Name());
    }

    [Fact, Compatibility(12)]
    public async Task A_deletion_answers_a_Status_or_the_object_that_is_going()
    {
        var maps = await api.NamespaceAsync("delete") + "/configmaps";
        await api.MakeAsync(maps, """{"metadata":{"name":"a"}}""");
        var done = await api.DeleteAsync(maps + "/a?propagationPolicy=Background&gracePeriodSeconds=0", "");
        Assert.Equal(("Status", "Success", "a"), ((string?)done["kind"], (string?)done["status"], (string?)done["details"]!["name"]));
        await api.MakeAsync(maps, """{"metadata":{"name":"b","finalizers":["example.com/hold"]}}""");
        var going = await api.DeleteAsync(maps + "/b");
        Assert.Equal("ConfigMap", (string?)going["kind"]);
        Assert.NotNull(going["metadata"]!["deletionTimestamp"]);
        await api.PatchAsync(maps + "/b", """{"metadata":{"finalizers":null}}""");
    }

    [Fact, Compatibility(13)]
    public async Task Apply_creates_with_201_and_updates_with_200_and_a_dry_run_stores_nothing()
    {
        var maps = await api.NamespaceAsync("codes") + "/configmaps";
        const string Map = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"k":"v"}}""";
        Assert.Equal(201, (await ApplyAsync(maps + "/m?fieldManager=t&dryRun=All", Map)).Code);
        Assert.Equal(404, (await api.GetAsync(maps + "/m")).Code);
        Assert.Equal(201, (await ApplyAsync(maps + "/m?fieldManager=t", Map)).Code);
        Assert.Equal(200, (await ApplyAsync(maps + "/m?fieldManager=t", Map)).Code);
        Assert.Equal(200, (await ApplyAsync(maps + "/m?fieldManager=t&dryRun=All", Map.Replace("\"v\"", "\"w\"", StringComparison.Ordinal))).Code);
        Assert.Equal("v", (string?)(await api.ReadAsync(maps + "/m"))["data"]!["k"]);
        Assert.Equal(200, (await api.SendAsync(HttpMethod.Delete, maps + "/m?dryRun=All")).Code);
        await api.ReadAsync(maps + "/m");
    }

    [Fact, Compatibility(14)]
    public async Task Answers_are_zipped_when_asked_for_and_large()
    {
        var maps = await api.NamespaceAsync("gzip") + "/configmaps";
        await api.MakeAsync(maps, $$$$"""{"metadata":{"name":"large"},"data":{"k":"{{{{new string('x', 200_000)}}}}"}}""");
        await api.MakeAsync(maps, """{"metadata":{"name":"small"}}""");
        Assert.Equal(("gzip", "", ""), (await EncodingAsync("large", "gzip"), await EncodingAsync("small", "gzip"), await EncodingAsync("large", null)));

        async Task<string> EncodingAsync(string name, string? accept)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{maps}/{name}");
            if (accept is not null) request.Headers.AcceptEncoding.ParseAdd(accept);
            using var answer = await api.Client.SendAsync(request);
            Assert.Equal(200, (int)answer.StatusCode);
            return string.Join(',', answer.Content.Headers.ContentEncoding);
        }
    }

    [Fact, Compatibility(16)]
    public async Task What_is_to_come_is_waited_for_and_then_504_with_a_time_to_come_back()
    {
        var (code, status) = await api.GetAsync("/api/v1/namespaces/default/configmaps?resourceVersion=99999999");
        Assert.Equal((504, "Timeout"), (code, (string?)status["reason"]));
        Assert.StartsWith("Timeout: Too large resource version: 99999999, current: ", (string?)status["message"]);
        Assert.Contains(status["details"]!["causes"]!.AsArray(), static c => (string?)c!["reason"] == "ResourceVersionTooLarge");
        Assert.Equal(1, (int?)status["details"]!["retryAfterSeconds"]);

        // 429: a budget that was not counted yet.
        var ns = await api.NamespaceAsync("retry");
        await api.MakeAsync(ns + "/serviceaccounts", """{"metadata":{"name":"default"}}""");
        await api.MakeAsync(ns + "/pods", """{"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}],"nodeName":"n"}}""");
        await api.PatchAsync(ns + "/pods/p/status", """{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}""");
        await api.MakeAsync(ns.In("policy/v1") + "/poddisruptionbudgets", """{"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"a":"b"}}}}""");
        await api.UntilAsync(ns.In("policy/v1") + "/poddisruptionbudgets?resourceVersion=0", static l => l.Items().Count == 1);
        using var body = new StringContent("""{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}""", Encoding.UTF8, "application/json");
        using var answer = await api.Client.PostAsync(new Uri(ns + "/pods/p/eviction", UriKind.Relative), body);
        Assert.Equal(429, (int)answer.StatusCode);
        Assert.Equal("10", answer.Headers.GetValues("Retry-After").Single());
    }

    private async Task<(int, string?)> ReasonAsync(string path)
    {
        var (code, status) = await api.GetAsync(path);
        return (code, (string?)status["reason"]);
    }

    private Task<(int Code, JsonObject Body)> ApplyAsync(string path, string config) => api.SendAsync(HttpMethod.Patch, path, config, "application/apply-patch+yaml");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, JsonObject obj, KindSchema schema, string accept)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(ProtobufCodec.Encode(obj, schema)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Protobuf);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return await api.Client.SendAsync(request);
    }
}
