using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>What conformance steps do over and over: make, change, take away, wait.</summary>
internal static class ApiCalls
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>A namespace with a name of its own, with its default account; the path "/api/v1/namespaces/NAME".</summary>
    public static async Task<string> NamespaceAsync(this GatewayHost api, string prefix)
    {
        var ns = await api.MakeAsync("/api/v1/namespaces", $$$"""{"metadata":{"generateName":"{{{prefix}}}-"}}""");
        var path = "/api/v1/namespaces/" + ns.Name();
        if (api is ControlPlane) await api.UntilAsync(path + "/serviceaccounts", static l => l.Items().Any(static s => s.Name() == "default"));
        return path;
    }

    /// <summary>The same namespace under a named group: "/apis/apps/v1/namespaces/NAME".</summary>
    public static string In(this string ns, string groupVersion) => ns.Replace("/api/v1/", $"/apis/{groupVersion}/", StringComparison.Ordinal);

    public static async Task<JsonObject> MakeAsync(this GatewayHost api, string path, string json) => Ok(201, await api.PostAsync(path, json));

    public static async Task<JsonObject> ReadAsync(this GatewayHost api, string path, string? accept = null) => Ok(200, await api.GetAsync(path, accept));

    public static async Task<JsonObject> PatchAsync(this GatewayHost api, string path, string json, string type = "application/merge-patch+json") =>
        Ok(200, await api.SendAsync(HttpMethod.Patch, path, json, type));

    /// <summary>Reads, changes and writes until nobody came between; readFrom: where a subresource that cannot be read is read from.</summary>
    public static async Task<JsonObject> UpdateAsync(this GatewayHost api, string path, Action<JsonObject> change, string? readFrom = null)
    {
        while (true)
        {
            var obj = await api.ReadAsync(readFrom ?? path);
            change(obj);
            var answer = await api.SendAsync(HttpMethod.Put, path, obj.ToJsonString());
            if (answer.Code != 409) return Ok(200, answer);
        }
    }

    public static async Task<JsonObject> DeleteAsync(this GatewayHost api, string path, string options = """{"kind":"DeleteOptions","apiVersion":"v1"}""") =>
        Ok(200, await api.SendAsync(HttpMethod.Delete, path, options));

    /// <summary>The Status of a refused creation.</summary>
    public static async Task<string> RefusedAsync(this GatewayHost api, int code, string path, string json)
    {
        var (got, status) = await api.PostAsync(path, json);
        Assert.True(got == code, status.ToJsonString());
        Assert.Equal("Failure", (string?)status["status"]);
        return (string)status["message"]!;
    }

    /// <summary>Reads until it holds.</summary>
    public static async Task<JsonObject> UntilAsync(this GatewayHost api, string path, Func<JsonObject, bool> holds)
    {
        for (var end = DateTime.UtcNow + Deadline; ; await Task.Delay(30))
        {
            var (code, body) = await api.GetAsync(path);
            if (code == 200 && holds(body)) return body;
            Assert.True(DateTime.UtcNow < end, $"{path} never held; last {code} {body.ToJsonString()}");
        }
    }

    /// <summary>Reads until it is not there.</summary>
    public static async Task GoneAsync(this GatewayHost api, string path)
    {
        for (var end = DateTime.UtcNow + Deadline; ; await Task.Delay(30))
        {
            var (code, body) = await api.GetAsync(path);
            if (code == 404) return;
            Assert.True(DateTime.UtcNow < end, $"{path} is still there: {body.ToJsonString()}");
        }
    }

    public static async Task<WatchLines> WatchAsync(this GatewayHost api, string path)
    {
        var answer = await api.Client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new WatchLines(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    /// <summary>Compacts the store up to now: what was before is known to the caches only.</summary>
    public static async Task CompactAsync(this GatewayHost api)
    {
        var kv = new KV.KVClient(api.StoreChannel);
        var now = (await kv.RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("x") })).Header.Revision;
        await kv.CompactAsync(new CompactionRequest { Revision = now });
    }

    public static string Name(this JsonNode obj) => (string)obj["metadata"]!["name"]!;

    public static string Uid(this JsonNode obj) => (string)obj["metadata"]!["uid"]!;

    public static string Revision(this JsonNode obj) => (string)obj["metadata"]!["resourceVersion"]!;

    public static IReadOnlyList<JsonNode> Items(this JsonObject list) => [.. list["items"]!.AsArray().Select(static i => i!)];

    private static JsonObject Ok(int code, (int Code, JsonObject Body) answer)
    {
        Assert.True(answer.Code == code, $"{answer.Code}: {answer.Body.ToJsonString()}");
        return answer.Body;
    }
}

/// <summary>An open watch, line by line.</summary>
internal sealed record WatchLines(HttpResponseMessage Answer, StreamReader Reader) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>The next event.</summary>
    public async Task<(string Type, JsonNode Object)> NextAsync()
    {
        var line = await Reader.ReadLineAsync().WaitAsync(Deadline) ?? throw new InvalidOperationException("the watch ended");
        var json = JsonNode.Parse(line)!;
        return ((string)json["type"]!, json["object"]!);
    }

    /// <summary>The next event must be of this type; its object.</summary>
    public async Task<JsonNode> NextAsync(string type)
    {
        var (got, obj) = await NextAsync();
        Assert.True(got == type, $"{got} instead of {type}: {obj.ToJsonString()}");
        return obj;
    }

    /// <summary>Reads events until one holds.</summary>
    public async Task<JsonNode> UntilAsync(Func<string, JsonNode, bool> holds)
    {
        while (true)
        {
            var (type, obj) = await NextAsync();
            if (holds(type, obj)) return obj;
        }
    }

    public void Dispose()
    {
        Reader.Dispose();
        Answer.Dispose();
    }
}
