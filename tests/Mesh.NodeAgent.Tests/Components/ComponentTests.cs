using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Components;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

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

    /// <summary>kubectl delete reads the pod, lists, and watches for its end from there: a pod that is back before the list is taken for one that never went, and it waits for ever.</summary>
    [Fact]
    public async Task APodThatWasDeletedStaysAwayForAMoment()
    {
        var api = new FakeKubeClient();
        var node = api.Seed(new Node { Metadata = new ObjectMeta { Name = "n" } });
        using var stop = new CancellationTokenSource();
        using var pods = new ComponentPods(
            [new Component("c", new Uri("tcp://127.0.0.1:1"))], "n", () => [], api, new StatusManager(api, TimeProvider.System, NullLogger.Instance), TimeProvider.System, NullLogger.Instance);
        var running = pods.RunAsync(node, stop.Token);
        Pod? Now() => api.Find<Pod>("kube-system", "c-n");
        await Eventually.TrueAsync(() => Now() is not null, TimeSpan.FromSeconds(10));
        var first = Now()!;
        pods.OnPod(null, first);
        await api.DeleteAsync<Pod>("kube-system", "c-n", new DeleteOptions { GracePeriodSeconds = 30 });
        pods.OnPod(first, Now());
        await Eventually.TrueAsync(() => Now() is null, TimeSpan.FromSeconds(10));
        var gone = Stopwatch.StartNew();
        pods.OnPod(first, null);
        await Eventually.TrueAsync(() => Now() is not null, TimeSpan.FromSeconds(10));
        Assert.InRange(gone.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(8));
        Assert.NotEqual(first.Metadata.Uid, Now()!.Metadata.Uid);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
