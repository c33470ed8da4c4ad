using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.Tests.Http;

/// <summary>The same list asked for in every encoding, over the wire.</summary>
[Collection("gateway")]
public sealed class ListRequestTests(GatewayHost gateway)
{
    [Theory]
    [InlineData("", 5)]
    [InlineData("&limit=2", 2)]
    [InlineData("&labelSelector=a%3D1", 2)]
    [InlineData("&labelSelector=a%3D1&limit=1", 1)]
    [InlineData("&fieldSelector=metadata.name%3Dm3", 1)]
    [InlineData("&labelSelector=nobody", 0)]
    public async Task Every_encoding_says_the_same(string query, int count)
    {
        var ns = "lists-" + Guid.NewGuid().ToString("n")[..8];
        await gateway.PostAsync("/api/v1/namespaces", $$$"""{"metadata":{"name":"{{{ns}}}"}}""");
        var path = $"/apis/apps/v1/namespaces/{ns}/controllerrevisions";
        for (var i = 0; i < 5; i++) await gateway.PostAsync(path, $$$"""{"metadata":{"name":"m{{{i}}}","labels":{"a":"{{{i % 3}}}"}},"revision":{{{i}}},"data":{"text":"{{{new string('x', 100)}}}"}}""");
        var (_, now) = await gateway.GetAsync(path);
        path += $"?resourceVersion={now["metadata"]!["resourceVersion"]}&resourceVersionMatch=Exact{query}";
        var json = JsonNode.Parse(await ReadAsync(path, "application/json"))!;
        Assert.Equal(count, json["items"]!.AsArray().Count);
        Same(json, JsonNode.Parse(await ReadAsync(path + "&pretty=true", "application/json")));
        Same(json, JsonNode.Parse(YamlCodec.ToJson(await ReadAsync(path, "application/yaml"))));
        var protobuf = ProtobufCodec.Decode(await ReadAsync(path, "application/vnd.kubernetes.protobuf"));
        // In protobuf a list of nothing and none are the same.
        if (count == 0) protobuf["items"] = new JsonArray();
        Same(json, protobuf);

        var partial = JsonNode.Parse(await ReadAsync(path, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"))!;
        Same(json["metadata"], partial["metadata"]);
        var decoded = ProtobufCodec.Decode(await ReadAsync(path, "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"));
        Same(json["metadata"], decoded["metadata"]);
        var table = JsonNode.Parse(await ReadAsync(path, "application/json;as=Table;g=meta.k8s.io;v=v1"))!;
        Same(json["metadata"], table["metadata"]);
        for (var i = 0; i < count; i++)
        {
            var metadata = json["items"]![i]!["metadata"];
            Same(metadata, partial["items"]![i]!["metadata"]);
            Same(metadata, decoded["items"]![i]!["metadata"]);
            Same(metadata, table["rows"]![i]!["object"]!["metadata"]);
        }

        Assert.Equal((count, count, count), (partial["items"]!.AsArray().Count, decoded["items"]?.AsArray().Count ?? 0, table["rows"]!.AsArray().Count));
    }

    private static void Same(JsonNode? expected, JsonNode? actual) => Assert.True(JsonNode.DeepEquals(expected, actual), $"{expected}\n{actual}");

    private async Task<byte[]> ReadAsync(string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using var answer = await gateway.Client.SendAsync(request);
        Assert.Equal((200, accept.Split(';')[0]), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        return await answer.Content.ReadAsByteArrayAsync();
    }
}
