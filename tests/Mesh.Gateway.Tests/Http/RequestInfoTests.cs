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

    [Theory]
    [InlineData("//api/v1/pods")]
    [InlineData("/apis//v1/pods")]
    public void Paths_that_begin_with_nothing_are_no_resources(string path) => Assert.False(RequestInfo.Parse("GET", path, false).IsResource);

    [Theory]
    [InlineData("/api/v1//pods", true)]
    [InlineData("/api/v1/namespaces/x//pods", true)]
    [InlineData("/api/v1/namespaces/x/pods//log", true)]
    [InlineData("/api/v1/namespaces/x/pods/p//log", true)]
    [InlineData("/api/v1/namespaces/x/pods/..", true)]
    [InlineData("/api/v1/namespaces/../pods", true)]
    [InlineData("/api/v1/namespaces//pods", false)]
    [InlineData("/api/v1/namespaces/x/pods/p//", false)]
    [InlineData("/api/v1/nodes/n/proxy/a//../b", false)]
    public void Segments_without_a_name_are_seen(string path, bool without) => Assert.Equal(without, RequestInfo.Parse("GET", path, false).HasNoName);

    [Theory]
    [InlineData("/api/v1/nodes/n/proxy/a//b/", "a//b/")]
    [InlineData("/api/v1/nodes/n/proxy/", "")]
    [InlineData("/api/v1/nodes/n/proxy//a/../b", "/a/../b")]
    public void What_is_behind_a_proxy_is_asked_as_it_is_written(string path, string rest) => Assert.Equal(rest, RequestInfo.Parse("GET", path, false).Rest);

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
}
