using System.Diagnostics.Metrics;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Hosting;
using Mesh.NodeAgent.Components;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Runtime.Containerd;
using Mesh.NodeAgent.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent;

/// <summary>The node agent: runs the pods that are bound to its node.</summary>
public sealed class NodeAgentService : IMeshService
{
    /// <inheritdoc/>
    public string Name => "node-agent";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<NodeAgentOptions>();
        Check(options);
        builder.AddKubeClient(options, "kubelet");
        builder.Services.AddSingleton(static s => new KubeletMetrics(s.GetRequiredService<IMeterFactory>(), s.GetRequiredService<TimeProvider>()));
        if (options.Runtime == "hollow" && options.HollowNodes > 1)
        {
            builder.AddWorker<HollowNodes>();
            return;
        }

        builder.Services.AddSingleton(s => NodeRuntime.From(options, s.GetRequiredService<KubeletMetrics>().Operations, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddSingleton(s =>
        {
            var informers = s.GetRequiredService<IInformerFactory>();
            var pods = informers.For<Pod>($"spec.nodeName={options.NodeName}");
            return new AgentNode(
                options,
                s.GetRequiredService<IKubeClient>(),
                new PodFeed(pods.AddHandler, pods.Synced),
                informers.For<Service>(),
                s.GetRequiredService<IEventRecorder>(),
                s.GetRequiredService<NodeRuntime>(),
                s.GetRequiredService<KubeletMetrics>(),
                s.GetRequiredService<TimeProvider>(),
                s.GetRequiredService<ILoggerFactory>());
        });
        builder.AddWorker<Worker>();
        if (options.Listen.Length > 0)
            NodeServer.Add(builder, options);
    }

    private static void Check(NodeAgentOptions options)
    {
        if (options.Runtime is not ("containerd" or "hollow"))
            throw new SettingsException($"node-agent: --runtime {options.Runtime}: there are containerd and hollow");
        try
        {
            _ = Component.Parse(options.Components);
        }
        catch (FormatException e)
        {
            throw new SettingsException("node-agent: --components: " + e.Message);
        }

        if (options.Runtime == "hollow")
            return;
        var missing = HostProbe.Read().Missing();
        if (options.Containerd == "managed" && missing.Count > 0)
            throw new SettingsException("node-agent: containers cannot run here. Missing: " + string.Join("; ", missing) + ". Without them, --runtime hollow simulates containers.");
        if (options.Containerd != "managed" && !File.Exists(options.Containerd))
            throw new SettingsException($"node-agent: --containerd {options.Containerd}: there is no such socket");
    }

    private sealed class Worker(AgentNode node) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => node.RunAsync(stoppingToken);
    }
}
