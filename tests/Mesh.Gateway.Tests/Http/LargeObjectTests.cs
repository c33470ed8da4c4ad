using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Http;

/// <summary>Objects up to what the store takes (1.5 MB), and clear refusals beyond.</summary>
[Collection("gateway")]
public sealed class LargeObjectTests(GatewayHost gateway)
{
    private const string Path = "/api/v1/namespaces/default/podtemplates";

    [Fact]
    public async Task An_object_of_nearly_one_and_a_half_megabytes_is_written_read_watched_patched_and_listed()
    {
        var (code, made) = await gateway.PostAsync(Path, Template("large", 1_480_000, '\u00e9'));
        Assert.Equal(201, code);
        Assert.Equal(1_480_000, Text(made).Length * 2);

        using var watch = new StreamReader(await gateway.Client.GetStreamAsync($"{Path}?watch=1&fieldSelector=metadata.name%3Dlarge&resourceVersion=0&timeoutSeconds=60"));
        Assert.Equal(Text(made), Text(JsonNode.Parse((await watch.ReadLineAsync())!)!["object"]!));

        (code, var patched) = await gateway.SendAsync(HttpMethod.Patch, Path + "/large", """{"metadata":{"labels":{"a":"b"}}}""", "application/merge-patch+json");
        Assert.Equal((200, "b"), (code, (string?)patched["metadata"]!["labels"]!["a"]));
        var change = JsonNode.Parse((await watch.ReadLineAsync())!)!;
        Assert.Equal(("MODIFIED", Text(made)), ((string?)change["type"], Text(change["object"]!)));

        using var request = new HttpRequestMessage(HttpMethod.Get, Path + "/large");
        request.Headers.TryAddWithoutValidation("Accept", "application/vnd.kubernetes.protobuf");
        using var answer = await gateway.Client.SendAsync(request);
        Assert.True((await answer.Content.ReadAsByteArrayAsync()).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Text(made))) > 0);

        for (var i = 0; i < 8; i++) Assert.Equal(201, (await gateway.PostAsync(Path, Template($"large-{i}", 1_400_000, 'x'))).Code);
        foreach (var version in (string[])["", "?resourceVersion=0"])
        {
            var (_, list) = await gateway.GetAsync(Path + version);
            Assert.Equal(8, list["items"]!.AsArray().Count(o => Text(o!).Length == 1_400_000));
        }

        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Delete, Path)).Code);
        Assert.Empty((await gateway.GetAsync(Path)).Body["items"]!.AsArray());
    }

    [Theory]
    [InlineData(1_700_000, "etcdserver: request is too large")]
    [InlineData(3_200_000, "Request entity too large: limit is 3145728")]
    public async Task What_is_larger_is_refused_with_413(int size, string message)
    {
        var (code, status) = await gateway.PostAsync(Path, Template("too-large", size, 'x'));
        Assert.Equal((413, "RequestEntityTooLarge"), (code, (string?)status["reason"]));
        Assert.Contains(message, (string?)status["message"], StringComparison.Ordinal);
        Assert.Equal(404, (await gateway.GetAsync(Path + "/too-large")).Code);
    }

    private static string Template(string name, int bytes, char letter) => new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["template"] = new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i", ["args"] = new JsonArray(new string(letter, bytes / Encoding.UTF8.GetByteCount([letter]))) }),
            },
        },
    }.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static string Text(JsonNode o) => (string)o["template"]!["spec"]!["containers"]![0]!["args"]![0]!;
}
