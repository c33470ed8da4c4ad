using System.Collections.Concurrent;
using System.Globalization;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Runtime;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent;

/// <summary>Many simulated nodes in one process: they share one watch of all pods, handed on by node name.</summary>
internal sealed class HollowNodes(NodeAgentOptions options, IKubeClient client, IInformerFactory informers, IEventRecorder recorder, KubeletMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    : BackgroundService
{
    private readonly ConcurrentDictionary<string, Action<Pod?, Pod?>> handlers = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pods = informers.For<Pod>();
        var services = informers.For<Service>();
        var nodes = new List<AgentNode>();
        for (var i = 0; i < options.HollowNodes; i++)
        {
            var name = $"{options.NodeName}-{i.ToString(CultureInfo.InvariantCulture)}";
            var own = Own(name, i);
            nodes.Add(new AgentNode(own, client, new PodFeed(handler => handlers[name] = handler, pods.Synced), services, recorder, NodeRuntime.Hollow(time, own.PodCidr, metrics.Operations), metrics, time, loggers));
        }

        // Handlers are there before the first pod is handed out.
        var running = Task.WhenAll(nodes.Select((node, i) => StartAsync(node, i, stoppingToken)));
        while (handlers.Count < nodes.Count && !running.IsCompleted)
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, stoppingToken);
        pods.AddHandler(Dispatch);
        await running;
    }

    /// <summary>Not all at one instant: a thousand registrations are spread over seconds.</summary>
    private async Task StartAsync(AgentNode node, int index, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(2 * index), time, ct);
        await node.RunAsync(ct);
    }

    private void Dispatch(Pod? old, Pod? pod)
    {
        if ((pod ?? old)?.Spec?.NodeName is { Length: > 0 } name && handlers.TryGetValue(name, out var handler))
            handler(old?.Spec?.NodeName == name ? old : null, pod);
    }

    private NodeAgentOptions Own(string name, int index) => new()
    {
        NodeName = name,
        NodeIp = $"10.{100 + (index / 65536)}.{(index / 256) % 256}.{index % 256}",
        DataDir = options.DataDir,
        Runtime = "hollow",
        Listen = "",
        PodCidr = $"10.{150 + (index / 256)}.{index % 256}.0/24",
        NodeLabels = options.NodeLabels,
        RegisterWithTaints = options.RegisterWithTaints,
        MaxPods = options.MaxPods,
        ClusterDns = options.ClusterDns,
        ClusterDomain = options.ClusterDomain,
    };
}
