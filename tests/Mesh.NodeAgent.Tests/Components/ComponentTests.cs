using System.Net;
using System.Net.Sockets;
using Mesh.NodeAgent.Components;

namespace Mesh.NodeAgent.Tests.Components;

public class ComponentTests
{
    [Fact]
    public void AListNamesComponentsAndTheirHealth()
    {
        var parsed = Component.Parse("etcd=tcp://127.0.0.1:2379, api=https://127.0.0.1:6443/readyz?verbose=1");
        Assert.Equal(["etcd", "api"], parsed.Select(c => c.Name));
        Assert.Equal("https://127.0.0.1:6443/readyz?verbose=1", parsed[1].Health.ToString());
        Assert.Empty(Component.Parse(""));
    }

    [Theory]
    [InlineData("etcd")]
    [InlineData("=http://x")]
    [InlineData("etcd=ftp://x/")]
    [InlineData("etcd=127.0.0.1:2379")]
    public void WhatIsNoComponentIsRefused(string list) => Assert.Throws<FormatException>(() => Component.Parse(list));

    [Fact]
    public async Task AProbeSaysWhyItFails()
    {
        using var probe = new ComponentProbe();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var component = new Component("c", new Uri($"tcp://127.0.0.1:{port}"));
        Assert.Null(await probe.AskAsync(component, CancellationToken.None));
        listener.Stop();
        Assert.Contains("refused", await probe.AskAsync(component, CancellationToken.None));
        Assert.Contains("refused", await probe.AskAsync(component with { Health = new Uri($"http://127.0.0.1:{port}/readyz") }, CancellationToken.None));
    }
}
