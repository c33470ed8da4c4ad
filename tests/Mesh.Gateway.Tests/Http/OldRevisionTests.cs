using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Gateway.Tests.Conformance;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Lists as they were at a revision that no cache remembers, in every encoding: the store's snapshot, not a mix of then and now.</summary>
public sealed class OldRevisionTests(OldRevisions gateway) : IClassFixture<OldRevisions>
{
    private const string Table = "application/json;as=Table;g=meta.k8s.io;v=v1";
    private const string Partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    private const string Protobuf = "application/vnd.kubernetes.protobuf";
    private const string PartialProtobuf = Protobuf + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

    internal static readonly string[] Accepted = ["application/json", "application/yaml", Protobuf, Table, Partial, PartialProtobuf];

    public static TheoryData<string> Forms() => [.. Accepted];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task An_exact_revision_is_listed_as_it_was(string accept)
    {
        var list = await ListAsync($"?resourceVersion={gateway.Then}&resourceVersionMatch=Exact", accept);

        Assert.Equal($"{gateway.Then}", list.Revision());
        Assert.Null(list["metadata"]!["continue"]);
        var items = Objects(list);
        Assert.Equal(Enumerable.Range(0, OldRevisions.Count).Select(OldRevisions.Name), items.Select(ApiCalls.Name));
        Assert.All(items, o => AssertThen(o));
        if (accept == Table) Assert.All(list["rows"]!.AsArray(), static r => Assert.Equal("first", (string?)r!["cells"]![2]));
        // And what is asked for now is what there is now.
        var now = Objects(await ListAsync("", accept));
        Assert.Equal(OldRevisions.Count - (OldRevisions.Count / 5) + 3, now.Count);
        Assert.Contains(now, static o => o.Name() == "t0007-between");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Its_pages_are_all_of_that_revision(string accept)
    {
        var (names, token, query) = (new List<string>(), "", $"?resourceVersion={gateway.Then}&resourceVersionMatch=Exact&limit=400");
        for (var page = 0; page == 0 || token.Length > 0; page++)
        {
            var list = await ListAsync(query, accept);
            Assert.Equal($"{gateway.Then}", list.Revision());
            var items = Objects(list);
            Assert.All(items, o => AssertThen(o));
            names.AddRange(items.Select(ApiCalls.Name));
            token = (string?)list["metadata"]!["continue"] ?? "";
            Assert.Equal(OldRevisions.Count - names.Count, int.Parse(list["metadata"]!["remainingItemCount"]?.ToString() ?? "0"));
            query = $"?limit=400&continue={token}";
        }

        Assert.Equal(Enumerable.Range(0, OldRevisions.Count).Select(OldRevisions.Name), names);
    }

    [Theory]
    [InlineData("labelSelector=image%3Dfirst", OldRevisions.Count)]
    [InlineData("labelSelector=image%3Dsecond", 0)]
    [InlineData("fieldSelector=metadata.name%3Dt0005", 1)]
    [InlineData("fieldSelector=metadata.name%3Da", 0)]
    public async Task Selectors_see_what_was_then(string query, int expected)
    {
        var all = 0;
        for (var token = $"resourceVersion={gateway.Then}&resourceVersionMatch=Exact&limit=700"; ;)
        {
            var list = await ListAsync($"?{query}&{token}", "application/json");
            all += list.Items().Count;
            if ((string?)list["metadata"]!["continue"] is not { Length: > 0 } next) break;
            // Of a selection nobody knows how much is left.
            Assert.Null(list["metadata"]!["remainingItemCount"]);
            token = $"limit=700&continue={next}";
        }

        Assert.Equal(expected, all);
    }

    private void AssertThen(JsonNode item)
    {
        Assert.Equal("first", (string?)item["metadata"]!["labels"]!["image"]);
        Assert.InRange(long.Parse(item.Revision()), 1, gateway.Then);
        if (item["template"] is { } template) Assert.Equal("first", (string?)template["spec"]!["containers"]![0]!["image"]);
    }

    private static List<JsonNode> Objects(JsonObject list) =>
        list["rows"] is JsonArray rows ? [.. rows.Select(static r => r!["object"]!)] : [.. (list["items"] as JsonArray ?? []).Select(static i => i!)];

    private async Task<JsonObject> ListAsync(string query, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, OldRevisions.Path + query);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using var answer = await gateway.Client.SendAsync(request);
        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.True(answer.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        Assert.Equal(accept.Split(';')[0], answer.Content.Headers.ContentType!.MediaType);
        if (accept.StartsWith(Protobuf, StringComparison.Ordinal)) return ProtobufCodec.Decode(body);
        return accept == "application/yaml" ? JsonNode.Parse(YamlCodec.ToJson(body))!.AsObject() : JsonNode.Parse(body)!.AsObject();
    }
}

/// <summary>The same after the store has forgotten it.</summary>
public sealed class CompactedRevisionTests(OldRevisions gateway) : IClassFixture<OldRevisions>
{
    [Fact]
    public async Task A_revision_that_is_compacted_is_410_in_every_encoding()
    {
        var first = await gateway.ReadAsync($"{OldRevisions.Path}?resourceVersion={gateway.Then}&resourceVersionMatch=Exact&limit=10");
        await gateway.CompactAsync();
        foreach (var accept in OldRevisionTests.Accepted)
        {
            var (code, status) = await StatusAsync($"?resourceVersion={gateway.Then}&resourceVersionMatch=Exact", accept);
            Assert.Equal((410, "Expired", "The resourceVersion for the provided list is too old."), (code, (string?)status["reason"], (string?)status["message"]));
            Assert.Null(status["metadata"]?["continue"]);

            (code, status) = await StatusAsync($"?limit=10&continue={(string)first["metadata"]!["continue"]!}", accept);
            Assert.Equal((410, "Expired"), (code, (string?)status["reason"]));
            Assert.StartsWith("The provided continue parameter is too old to display a consistent list result.", (string?)status["message"], StringComparison.Ordinal);

            // It goes on with what is there now, from where it was.
            var rest = await gateway.ReadAsync($"{OldRevisions.Path}?limit=3&continue={(string)status["metadata"]!["continue"]!}");
            Assert.Equal(["t0011", "t0012", "t0013"], rest.Items().Select(ApiCalls.Name));
        }
    }

    private async Task<(int Code, JsonObject Status)> StatusAsync(string query, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, OldRevisions.Path + query);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using var answer = await gateway.Client.SendAsync(request);
        var body = await answer.Content.ReadAsByteArrayAsync();
        var type = answer.Content.Headers.ContentType!.MediaType!;
        return ((int)answer.StatusCode, type.EndsWith("protobuf", StringComparison.Ordinal) ? ProtobufCodec.Decode(body) : type.EndsWith("yaml", StringComparison.Ordinal) ? JsonNode.Parse(YamlCodec.ToJson(body))!.AsObject() : JsonNode.Parse(body)!.AsObject());
    }
}
