using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Components;
using Mesh.NodeAgent.Events;
using Mesh.NodeAgent.Images;
using Mesh.NodeAgent.Lifecycle;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Nodes;
using Mesh.NodeAgent.Objects;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Status;
using Mesh.NodeAgent.Probes;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Sandboxes;
using Mesh.NodeAgent.Volumes;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent;

/// <summary>Where a node hears of its pods: an informer of its own, or a share of one that many simulated nodes have in common.</summary>
internal sealed record PodFeed(Action<Action<Pod?, Pod?>> Subscribe, Task Synced);

/// <summary>
/// One node: registers it, reports on it, and runs its pods. Stopping it leaves pods running; starting it again takes them over.
/// </summary>
internal sealed class AgentNode
{
    private readonly NodeAgentOptions options;
    private readonly IKubeClient client;
    private readonly PodFeed feed;
    private readonly NodeRuntime runtime;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly MachineInfo machine = MachineInfo.Read();
    private readonly NodeReporter reporter;
    private readonly IReadOnlyList<string> addresses;
    private volatile IReadOnlyDictionary<string, string> allocatable = new Dictionary<string, string>();

    public AgentNode(NodeAgentOptions options, IKubeClient client, PodFeed feed, IInformer<Service> services, IEventRecorder recorder, NodeRuntime runtime, KubeletMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        (this.options, this.client, this.feed, this.runtime, this.time) = (options, client, feed, runtime, time);
        log = loggers.CreateLogger("node");
        addresses = options.NodeIp.Length > 0 ? [.. Split(options.NodeIp)] : MachineInfo.PrimaryAddress() is { } found ? [found] : ["127.0.0.1"];
        Paths = new NodePaths(options.DataDir);
        var hollow = options.Runtime == "hollow";
        var objects = new ObjectSource(client, time);
        var events = new RecordedPodEvents(recorder);
        Services = new NodeServices
        {
            NodeName = options.NodeName,
            Client = client,
            Runtime = runtime.Runtime,
            Volumes = hollow ? new NoVolumes() : new VolumeManager(Paths, objects, new ServiceAccountTokens(client, time), time, metrics),
            Images = new ImageManager(runtime.Runtime, objects, events, time),
            Objects = objects,
            Status = new StatusManager(client, time, log),
            Prober = hollow ? new HollowProber() : new Prober(runtime.Runtime),
            Hooks = new HookRunner(runtime.Runtime, time),
            Events = events,
            Cgroups = hollow ? new NoCgroups() : new MeasuredCgroups(new PodCgroups(CgroupHost.Detect(), options.CgroupRoot), metrics),
            Paths = Paths,
            Sandbox = new SandboxSettings
            {
                ClusterDomain = options.ClusterDomain,
                ClusterDns = [.. Split(options.ClusterDns)],
                HostResolver = File.Exists(options.ResolvConf) ? ResolverConfig.Parse(File.ReadAllText(options.ResolvConf)) : ResolverConfig.Empty,
            },
            Metrics = metrics,
            Time = time,
            Log = log,
            Hollow = hollow,
            VolumeRefresh = options.SyncFrequency,
            MemoryBytes = machine.MemoryBytes,
            MayLowerOomScore = runtime.MayLowerOomScore,
            HostIPs = () => addresses,
            Allocatable = () => allocatable,
            Services = ns => services.Lister.List(ns).Concat(ns == "default" ? [] : services.Lister.List("default")),
            ServicesSynced = services.Synced,
        };
        Pods = new PodManager(Services);
        metrics.Watch(this);
        var identity = new NodeIdentity
        {
            Name = options.NodeName,
            Labels = Split(options.NodeLabels).Select(l => l.Split('=', 2)).ToDictionary(p => p[0], p => p.Length > 1 ? p[1] : ""),
            Taints = [.. Split(options.RegisterWithTaints).Select(ParseTaint)],
            PodCidr = options.PodCidr.Length > 0 ? options.PodCidr : null,
        };
        reporter = new NodeReporter(client, identity, FactsAsync, hollow ? null : recorder, time, log);
    }

    public NodePaths Paths { get; }

    /// <summary>Image of every pod's sandbox.</summary>
    public string SandboxImage => options.SandboxImage;

    public NodeServices Services { get; }

    public PodManager Pods { get; }

    /// <summary>Runs the node until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (!Services.Hollow)
            await NodeCleanup.SaveAsync(Paths, options.Bridge, options.CgroupRoot, ct);
        var registered = reporter.RegisterAsync(ct);
        await runtime.StartAsync(ct);
        await registered;
        Pods.Start(ct);
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var loops = new List<Task>
        {
            reporter.ReportLoopAsync(failed.Token),
            reporter.LeaseLoopAsync(failed.Token),
            NetworkAsync(failed.Token),
            PodsAsync(failed.Token),
            Pods.WatchRuntimeAsync(failed.Token),
            runtime.SuperviseAsync(failed.Token),
            ComponentsAsync(failed.Token),
        };
        if (!Services.Hollow)
            loops.Add(new GarbageCollection.Collector(Services, Pods, options).RunAsync(failed.Token));
        var first = await Task.WhenAny(loops);
        await failed.CancelAsync();
        foreach (var loop in loops)
            await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Pods.StopAsync();
        if (!ct.IsCancellationRequested)
            await first;
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static Taint ParseTaint(string text)
    {
        var (rest, effect) = text.LastIndexOf(':') is var at and > 0 ? (text[..at], text[(at + 1)..]) : (text, "NoSchedule");
        return rest.Split('=', 2) is [var key, var value] ? new Taint { Key = key, Value = value, Effect = effect } : new Taint { Key = rest, Effect = effect };
    }

    private async Task ComponentsAsync(CancellationToken ct)
    {
        if (Component.Parse(options.Components) is not { Count: > 0 } components)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            return;
        }

        using var pods = new ComponentPods(components, options.NodeName, () => addresses, client, Services.Status, time, log);
        feed.Subscribe(pods.OnPod);
        await feed.Synced.WaitAsync(ct);
        await pods.RunAsync(await client.GetAsync<Node>(null, options.NodeName, ct), ct);
    }

    private async Task PodsAsync(CancellationToken ct)
    {
        feed.Subscribe((old, now) =>
        {
            if (!ComponentPods.IsComponent(now ?? old))
                Pods.OnPod(old, now);
        });
        await feed.Synced.WaitAsync(ct);
        await Pods.RemoveOrphansAsync(ct);
        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
    }

    /// <summary>Writes the pod network as soon as the node's addresses are known.</summary>
    private async Task NetworkAsync(CancellationToken ct)
    {
        if (!Services.Hollow && options.PodNetwork)
        {
            var cidr = options.PodCidr;
            while (cidr.Length == 0)
            {
                cidr = reporter.Node?.Spec?.PodCIDR ?? "";
                if (cidr.Length > 0)
                    break;
                await Task.Delay(TimeSpan.FromMilliseconds(200), time, ct);
                if ((await Services.Objects.GetAsync<Node>(null, options.NodeName, TimeSpan.Zero, ct))?.Spec?.PodCIDR is { Length: > 0 } given)
                    cidr = given;
            }

            var masqueraded = await PodMasquerade.InstallAsync(options.Bridge, cidr, options.ClusterCidr, ct);
            CniConfig.Install(Paths.CniConfig, new PodNetwork { PodCidr = cidr, Bridge = options.Bridge, StateDirectory = Paths.CniState, Masquerade = !masqueraded });
            // containerd notices the file by itself, a moment later: the node shall not wait for its next step to be Ready.
            for (var i = 0; i < 50; i++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, ct);
                if ((await runtime.Runtime.StatusAsync(ct)).All(c => c.Status))
                    break;
            }

            reporter.StatusChanged();
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
    }

    private async Task<NodeFacts> FactsAsync(CancellationToken ct)
    {
        RuntimeVersion? version = null;
        IReadOnlyList<ImageRecord> images = [];
        var notReady = new List<string>();
        try
        {
            if (runtime.Started)
            {
                version = await runtime.Runtime.VersionAsync(ct);
                images = await runtime.Runtime.ListImagesAsync(ct);
                foreach (var condition in (await runtime.Runtime.StatusAsync(ct)).Where(c => !c.Status))
                {
                    var what = condition.Type == "NetworkReady" ? "container runtime network not ready" : "container runtime not ready";
                    notReady.Add($"{what}: {condition.Type}=false reason:{condition.Reason} message:{condition.Message}");
                }
            }
            else
            {
                notReady.Add("container runtime is down");
            }
        }
        catch (RuntimeException e)
        {
            notReady.Add($"container runtime is down: {e.Message}");
        }

        var facts = new NodeFacts
        {
            NodeName = options.NodeName,
            Machine = machine,
            Pressure = NodePressure.Read(options.DataDir, machine.MaxPids),
            Addresses = addresses,
            Runtime = version,
            RuntimeScheme = runtime.Runtime.Scheme,
            NotReady = notReady,
            Images = images,
            MaxPods = options.MaxPods,
            Port = Uri.TryCreate(options.Listen, UriKind.Absolute, out var uri) && uri.Port > 0 ? uri.Port : 10250,
            Now = time.GetUtcNow().UtcDateTime,
        };
        allocatable = NodeStatusBuilder.Allocatable(facts);
        return facts;
    }
}
