using System.Diagnostics;
using System.Security.Cryptography;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Client.Testing;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Runtime.Containerd;
using Mesh.NodeAgent.Tests.Support;
using Mesh.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeAgent.Tests.Containerd;

/// <summary>One containerd of our own for all tests in this folder: private directories, bridge, addresses, cgroups; nothing is left behind.</summary>
public sealed class ContainerdFixture : IAsyncLifetime
{
    public const string Busybox = "docker.io/local/busybox:1";
    private static readonly int Seed = RandomNumberGenerator.GetInt32(1, 200);
    private readonly string data = $"/var/lib/mesh-test-{Guid.NewGuid():N}"[..26];

    private readonly MetricsRegistry metrics = new(TimeProvider.System, false);

    internal NodeAgentOptions Options { get; private set; } = new();

    internal NodeRuntime Runtime { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var missing = HostProbe.Read().Missing();
        Assert.True(missing.Count == 0, "these tests run real containers; missing: " + string.Join("; ", missing));
        Directory.CreateDirectory(data);
        var pause = Path.Combine(data, "pause.tar");
        ImageArchive.Write(pause, "docker.io/mesh/pause:1", "{\"Entrypoint\":[\"/bin/busybox\",\"sleep\",\"2147483647\"]}");
        var busybox = Path.Combine(data, "busybox.tar");
        ImageArchive.Write(busybox, Busybox, "{\"Cmd\":[\"sh\"],\"Env\":[\"PATH=/bin\"]}");
        Options = Fresh();
        await NodeCleanup.SaveAsync(new NodePaths(data), Options.Bridge, Options.CgroupRoot, CancellationToken.None);
        Runtime = NodeRuntime.From(Options, new KubeletMetrics(metrics, TimeProvider.System).Operations, TimeProvider.System, NullLoggerFactory.Instance);
        await Runtime.StartAsync(CancellationToken.None);
        await NodeRuntime.ImportArchiveAsync(NodeRuntime.Settings(Options, new NodePaths(Options.DataDir)).SocketPath, busybox, CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        Runtime.Dispose();
        metrics.Dispose();
        await NodeCleanup.RunAsync(data, CancellationToken.None);
        Directory.Delete(data, recursive: true);
    }

    /// <summary>Settings of the node of these tests.</summary>
    internal NodeAgentOptions Fresh() => new()
    {
        NodeName = "test-node",
        DataDir = data,
        NodeIp = "127.0.0.1",
        Listen = "",
        PodCidr = $"10.251.{Seed}.0/24",
        Bridge = $"meshtest{Seed}",
        CgroupRoot = $"/meshtest{Seed}",
        SandboxArchive = Path.Combine(data, "pause.tar"),
        ClusterDns = "10.96.0.10",
        SyncFrequency = TimeSpan.FromSeconds(2),
    };

    /// <summary>Starts an agent against a fake API.</summary>
    internal TestAgent StartAgent(FakeKubeClient api) => new(Fresh(), api);
}

[CollectionDefinition("containerd")]
#pragma warning disable CA1711
public sealed class ContainerdCollection : ICollectionFixture<ContainerdFixture>;
#pragma warning restore CA1711

/// <summary>An agent running in the test's process.</summary>
internal sealed class TestAgent : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly NodeRuntime runtime;
    private readonly EventRecorder recorder;
    private readonly Task[] tasks;

    public TestAgent(NodeAgentOptions options, FakeKubeClient api)
    {
        var loggers = new LoggerFactory([new TestLog()]);
        var kubelet = new KubeletMetrics(Metrics, TimeProvider.System);
        runtime = NodeRuntime.From(options, kubelet.Operations, TimeProvider.System, loggers);
        var informers = new InformerFactory(api, loggers);
        recorder = new EventRecorder(api, "kubelet", loggers.CreateLogger("events"), null, options.NodeName);
        var pods = informers.For<Pod>($"spec.nodeName={options.NodeName}");
        Node = new AgentNode(options, api, new PodFeed(pods.AddHandler, pods.Synced), informers.For<Service>(), recorder, runtime, kubelet, TimeProvider.System, loggers);
        tasks = [informers.RunAsync(stop.Token), Node.RunAsync(stop.Token)];
    }

    public MetricsRegistry Metrics { get; } = new(TimeProvider.System);

    public AgentNode Node { get; }

    public IContainerRuntime Runtime => runtime.Runtime;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        foreach (var task in tasks)
            await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await recorder.DisposeAsync();
        runtime.Dispose();
        Metrics.Dispose();
    }
}

/// <summary>Warnings of the agent, shown when a test fails.</summary>
internal sealed class TestLog : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Console.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel} {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
