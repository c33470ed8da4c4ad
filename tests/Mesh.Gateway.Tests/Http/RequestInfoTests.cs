using Mesh.Gateway.Http;

namespace Mesh.Gateway.Tests.Http;

public sealed class RequestInfoTests
{
    [Theory]
    [InlineData("GET", "/api/v1/pods", false, "list|||pods||")]
    [InlineData("GET", "/api/v1/pods", true, "watch|||pods||")]
    [InlineData("GET", "/api/v1/namespaces", false, "list|||namespaces||")]
    [InlineData("GET", "/api/v1/namespaces/x", false, "get||x|namespaces|x|")]
    [InlineData("PUT", "/api/v1/namespaces/x/finalize", false, "update||x|namespaces|x|finalize")]
    [InlineData("GET", "/api/v1/namespaces/x/pods/p/log", false, "get||x|pods|p|log")]
    [InlineData("DELETE", "/apis/apps/v1/namespaces/x/deployments", false, "deletecollection|apps|x|deployments||")]
    [InlineData("GET", "/api/v1/watch/namespaces/x/pods", false, "watch||x|pods||")]
    [InlineData("GET", "/api/v1/watch/nodes/n", false, "watch|||nodes|n|")]
    [InlineData("POST", "/api/v1/namespaces/x/services/s:80/proxy/a/b", false, "create||x|services|s:80|proxy")]
    public void Paths_say_what_is_asked(string method, string path, bool watch, string expected)
    {
        var info = RequestInfo.Parse(method, path, watch);

        Assert.True(info.IsResource);
        Assert.Equal(expected, $"{info.Verb}|{info.Group}|{info.Namespace}|{info.Resource}|{info.Name}|{info.Subresource}");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/version")]
    [InlineData("/api")]
    [InlineData("/api/v1")]
    [InlineData("/apis/apps")]
    [InlineData("/apis/apps/v1")]
    public void Other_paths_are_no_resources(string path) => Assert.False(RequestInfo.Parse("GET", path, false).IsResource);

    [Fact]
    public void What_follows_the_subresource_is_kept() => Assert.Equal("a/b", RequestInfo.Parse("GET", "/api/v1/nodes/n/proxy/a/b", false).Rest);

    [Theory]
    [InlineData(null, "Json,Full")]
    [InlineData("*/*", "Json,Full")]
    [InlineData("application/vnd.kubernetes.protobuf,application/json", "Protobuf,Full")]
    [InlineData("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Json,Table")]
    [InlineData("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "Json,Full")]
    [InlineData("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "Json,Partial")]
    [InlineData("application/yaml", "Yaml,Full")]
    [InlineData("text/html;q=0.9,application/json;q=0.1", "Json,Full")]
    public void Accept_is_negotiated(string? accept, string expected)
    {
        var found = Representation.Negotiate(accept, allowShapes: true, hasProtobuf: true)!.Value;

        Assert.Equal(expected, $"{found.Format},{found.Shape}");
    }

    [Fact]
    public void Nothing_to_serve_is_null() => Assert.Null(Representation.Negotiate("text/html", true, true));

    [Fact]
    public void Yaml_quotes_what_would_be_read_as_something_else()
    {
        var text = System.Text.Encoding.UTF8.GetString(YamlText.Write(new()
        {
            ["b"] = "true",
            ["a"] = 1,
            ["c"] = new System.Text.Json.Nodes.JsonArray("x y", new System.Text.Json.Nodes.JsonObject { ["k"] = "1", ["l"] = "" }),
            ["d"] = new System.Text.Json.Nodes.JsonObject(),
        }));

        Assert.Equal("a: 1\nb: \"true\"\nc:\n- x y\n- k: \"1\"\n  l: \"\"\nd: {}\n", text);
    }
}
