using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class MeshAddressTests
{
    [Theory]
    [InlineData("https://10.0.0.1:6443", MeshScheme.Https, "10.0.0.1", 6443, "https://10.0.0.1:6443")]
    [InlineData("http://localhost:80/", MeshScheme.Http, "localhost", 80, "http://localhost:80")]
    [InlineData("https://example.com", MeshScheme.Https, "example.com", 443, "https://example.com:443")]
    [InlineData("https://[::1]:2379", MeshScheme.Https, "::1", 2379, "https://[::1]:2379")]
    [InlineData("node-1:10250", MeshScheme.Https, "node-1", 10250, "https://node-1:10250")]
    [InlineData("https://*:6443", MeshScheme.Https, "*", 6443, "https://*:6443")]
    [InlineData("https://:6443", MeshScheme.Https, "*", 6443, "https://*:6443")]
    [InlineData("unix:///run/mesh/store.sock", MeshScheme.Unix, "/run/mesh/store.sock", 0, "unix:///run/mesh/store.sock")]
    [InlineData("unix:/run/containerd.sock", MeshScheme.Unix, "/run/containerd.sock", 0, "unix:///run/containerd.sock")]
    [InlineData("inproc://gateway", MeshScheme.InProc, "gateway", 0, "inproc://gateway")]
    public void Parses(string text, MeshScheme scheme, string host, int port, string canonical)
    {
        var address = MeshAddress.Parse(text);
        Assert.Equal((scheme, host, port, canonical), (address.Scheme, address.Host, address.Port, address.ToString()));
        Assert.Equal(address, MeshAddress.Parse(canonical));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp://x:1")]
    [InlineData("https://host:notaport")]
    [InlineData("https://host:70000")]
    [InlineData("https://bad host:1")]
    [InlineData("unix://")]
    [InlineData("inproc://")]
    [InlineData("inproc://a/b")]
    public void Refuses(string text) => Assert.Throws<FormatException>(() => MeshAddress.Parse(text));

    [Fact]
    public void A_server_binds_addresses_not_names() => Assert.Throws<FormatException>(() => MeshAddress.Parse("https://example.com:1").ToListenEndPoint());
}
