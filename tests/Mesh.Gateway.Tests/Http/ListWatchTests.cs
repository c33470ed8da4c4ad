using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

[Collection("gateway")]
public sealed class ListWatchTests(GatewayHost gateway)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Pages_are_of_one_revision_whatever_happens_between_them()
    {
        var path = await NamespaceAsync("pages");
        for (var i = 0; i < 7; i++) await gateway.PostAsync(path, $$$$"""{"metadata":{"name":"m{{{{i}}}}"}}""");
        var (_, first) = await gateway.GetAsync(path + "?limit=3");
        await gateway.SendAsync(HttpMethod.Delete, path + "/m5");
        await gateway.PostAsync(path, """{"metadata":{"name":"m9"}}""");
        var names = Names(first);
        var token = (string?)first["metadata"]!["continue"];
        Assert.Equal(4, (int)first["metadata"]!["remainingItemCount"]!);
        while (token is not null)
        {
            var (_, page) = await gateway.GetAsync($"{path}?limit=3&continue={token}");
            Assert.Equal((string?)first["metadata"]!["resourceVersion"], (string?)page["metadata"]!["resourceVersion"]);
            names.AddRange(Names(page));
            token = (string?)page["metadata"]!["continue"];
        }

        Assert.Equal(["m0", "m1", "m2", "m3", "m4", "m5", "m6"], names);
    }

    [Theory]
    [InlineData("labelSelector=a%3D1", "x")]
    [InlineData("labelSelector=a", "x,y")]
    [InlineData("labelSelector=!a", "z")]
    [InlineData("labelSelector=a%20in%20(1,2)", "x,y")]
    [InlineData("fieldSelector=metadata.name%3Dz", "z")]
    [InlineData("fieldSelector=metadata.name!%3Dz", "x,y")]
    public async Task Selectors_select(string query, string expected)
    {
        var path = await NamespaceAsync("selectors");
        await gateway.PostAsync(path, """{"metadata":{"name":"x","labels":{"a":"1"}}}""");
        await gateway.PostAsync(path, """{"metadata":{"name":"y","labels":{"a":"2"}}}""");
        await gateway.PostAsync(path, """{"metadata":{"name":"z"}}""");
        var (_, list) = await gateway.GetAsync($"{path}?{query}");

        Assert.Equal(expected, string.Join(',', Names(list).Where(static n => n != "kube-root-ca.crt")));
        // The items' kind is said once, by the list.
        Assert.All(list["items"]!.AsArray(), static o => Assert.Equal((false, false), (o!.AsObject().ContainsKey("kind"), o.AsObject().ContainsKey("apiVersion"))));
    }

    [Fact]
    public async Task A_watch_sends_initial_events_a_bookmark_and_then_changes()
    {
        var path = await NamespaceAsync("watch");
        await gateway.PostAsync(path, """{"metadata":{"name":"old"}}""");
        using var lines = await WatchAsync(path + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");

        var added = await lines.NextAsync();
        Assert.Equal(("ADDED", "old"), (added.Type, added.Name));
        var bookmark = await lines.NextAsync();
        Assert.Equal("BOOKMARK", bookmark.Type);
        Assert.Equal("true", (string?)bookmark.Object["metadata"]!["annotations"]!["k8s.io/initial-events-end"]);
        await gateway.PostAsync(path, """{"metadata":{"name":"new"}}""");
        var created = await lines.NextAsync();
        Assert.Equal(("ADDED", "new"), (created.Type, created.Name));
        await gateway.SendAsync(HttpMethod.Delete, path + "/new");
        var deleted = await lines.NextAsync();
        Assert.Equal(("DELETED", "new"), (deleted.Type, deleted.Name));
        Assert.True(long.Parse((string)deleted.Object["metadata"]!["resourceVersion"]!) > long.Parse((string)created.Object["metadata"]!["resourceVersion"]!));
    }

    [Fact]
    public async Task A_watch_that_is_about_to_end_says_how_far_it_is()
    {
        var path = await NamespaceAsync("closing");
        var elsewhere = await NamespaceAsync("elsewhere");
        await gateway.PostAsync(path, """{"metadata":{"name":"a"}}""");
        var (_, list) = await gateway.GetAsync(path);
        var (_, other) = await gateway.PostAsync(elsewhere, """{"metadata":{"name":"b"}}""");
        await gateway.GetAsync(elsewhere); // the cache has it
        // Two seconds before the end: a machine that stands still for them gets another try.
        for (var tries = 5; ; tries--)
        {
            var text = await gateway.Client.GetStringAsync($"{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion={list["metadata"]!["resourceVersion"]}");
            if (text.Length == 0 && tries > 0) continue;
            var bookmark = JsonNode.Parse(text)!;
            Assert.Equal("BOOKMARK", (string?)bookmark["type"]);
            Assert.True(long.Parse((string)bookmark["object"]!["metadata"]!["resourceVersion"]!) >= long.Parse((string)other["metadata"]!["resourceVersion"]!));
            break;
        }
    }

    [Fact]
    public async Task An_object_that_leaves_the_selection_is_DELETED_for_the_watcher()
    {
        var path = await NamespaceAsync("leave");
        using var lines = await WatchAsync(path + "?watch=1&resourceVersion=0&labelSelector=on");
        await gateway.PostAsync(path, """{"metadata":{"name":"m","labels":{"on":"1"}}}""");
        Assert.Equal("ADDED", (await lines.NextAsync()).Type);
        await gateway.SendAsync(HttpMethod.Patch, path + "/m", """{"metadata":{"labels":{"on":null}}}""", "application/merge-patch+json");
        Assert.Equal("DELETED", (await lines.NextAsync()).Type);
        await gateway.SendAsync(HttpMethod.Patch, path + "/m", """{"metadata":{"labels":{"on":"2"}}}""", "application/merge-patch+json");
        Assert.Equal("ADDED", (await lines.NextAsync()).Type);
    }

    [Fact]
    public async Task A_watch_resumes_after_a_revision()
    {
        var path = await NamespaceAsync("resume");
        var (_, a) = await gateway.PostAsync(path, """{"metadata":{"name":"a"}}""");
        await gateway.PostAsync(path, """{"metadata":{"name":"b"}}""");
        using var lines = await WatchAsync($"{path}?watch=1&resourceVersion={(string?)a["metadata"]!["resourceVersion"]}");

        Assert.Equal("b", (await lines.NextAsync()).Name);
    }

    [Fact]
    public async Task A_revision_before_the_cache_is_an_error_event_with_410_Expired()
    {
        var (code, body) = await gateway.GetAsync("/api/v1/configmaps?watch=1&resourceVersion=1");

        Assert.Equal((200, "ERROR", 410, "Expired"), (code, (string?)body["type"], (int?)body["object"]!["code"], (string?)body["object"]!["reason"]));
        Assert.StartsWith("too old resource version: 1 (", (string?)body["object"]!["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revision_that_is_not_there_yet_is_504_after_three_seconds()
    {
        var (code, body) = await gateway.GetAsync("/api/v1/configmaps?resourceVersion=999999999");

        Assert.Equal(504, code);
        Assert.Contains("Too large resource version", (string?)body["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watch_from_a_revision_to_come_keeps_silent_up_to_it()
    {
        var path = await NamespaceAsync("future");
        var (_, now) = await gateway.GetAsync(path);
        var last = long.Parse((string)now["metadata"]!["resourceVersion"]!);
        using var lines = await WatchAsync($"{path}?watch=1&resourceVersion={last + 2}&labelSelector=late");
        string first;
        do
        {
            var (_, made) = await gateway.PostAsync(path, """{"metadata":{"generateName":"m-","labels":{"late":"1"}}}""");
            (first, var revision) = ((string)made["metadata"]!["name"]!, long.Parse((string)made["metadata"]!["resourceVersion"]!));
            if (revision > last + 2) break;
        }
        while (true);
        var seen = await lines.NextAsync();
        Assert.Equal(("ADDED", first), (seen.Type, seen.Name));
    }

    [Fact]
    public async Task Tables_have_columns_and_a_row_for_each_object()
    {
        var path = await NamespaceAsync("table");
        await gateway.PostAsync(path, """{"metadata":{"name":"m"},"data":{"k":"v"}}""");
        var (_, table) = await gateway.GetAsync(path + "/m", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");

        Assert.Equal("Table", (string?)table["kind"]);
        Assert.Equal("m", (string?)table["rows"]![0]!["cells"]![0]);
        Assert.Equal("PartialObjectMetadata", (string?)table["rows"]![0]!["object"]!["kind"]);
    }

    [Fact]
    public async Task Nothing_acceptable_is_406()
    {
        var (code, body) = await gateway.GetAsync("/api/v1/configmaps", "text/html");

        Assert.Equal((406, "NotAcceptable"), (code, (string?)body["reason"]));
    }

    private static List<string> Names(JsonObject list) => [.. list["items"]!.AsArray().Select(static i => (string)i!["metadata"]!["name"]!)];

    private async Task<string> NamespaceAsync(string prefix)
    {
        var (_, ns) = await gateway.PostAsync("/api/v1/namespaces", $$$$"""{"metadata":{"generateName":"{{{{prefix}}}}-"}}""");
        return $"/api/v1/namespaces/{(string?)ns["metadata"]!["name"]}/configmaps";
    }

    private async Task<Lines> WatchAsync(string path)
    {
        var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new Lines(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    private sealed record Lines(HttpResponseMessage Answer, StreamReader Reader) : IDisposable
    {
        public async Task<(string Type, string Name, JsonNode Object)> NextAsync()
        {
            var line = await Reader.ReadLineAsync().WaitAsync(Deadline) ?? throw new InvalidOperationException("the watch ended");
            var json = JsonNode.Parse(line)!;
            return ((string)json["type"]!, (string?)json["object"]!["metadata"]!["name"] ?? "", json["object"]!);
        }

        public void Dispose()
        {
            Reader.Dispose();
            Answer.Dispose();
        }
    }
}
