using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Mesh.NodeAgent.Metrics;

namespace Mesh.NodeAgent.Runtime.Hollow;

/// <summary>
/// Containers that are only remembered: they start at once, run until stopped, and every image is there. One instance per simulated node;
/// thousands fit in a process. State is lost with the process, as on a node whose machine rebooted.
/// </summary>
internal sealed class HollowRuntime(TimeProvider time, string podCidr = "10.0.0.0/24", RuntimeOperations? operations = null) : IContainerRuntime
{
    private readonly ConcurrentDictionary<string, Sandbox> sandboxes = new();
    private readonly Channel<RuntimeEvent> news = Channel.CreateUnbounded<RuntimeEvent>();
    private readonly string prefix = podCidr.Split('/')[0][..(podCidr.Split('/')[0].LastIndexOf('.') + 1)];
    private int lastAddress;
    private long lastId;

    public string Scheme => "hollow";

    public bool WritesLogs => false;

    public bool HasProcesses => false;

    public Task<RuntimeVersion> VersionAsync(CancellationToken ct) => Task.FromResult(new RuntimeVersion("hollow", "1.0.0"));

    public Task<IReadOnlyList<RuntimeConditionRecord>> StatusAsync(CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<RuntimeConditionRecord>>([new("RuntimeReady", true, "", ""), new("NetworkReady", true, "", "")]);

    public Task<PodState> InspectPodAsync(string podUid, CancellationToken ct)
    {
        using var call = operations?.Start("list_podsandbox");
        var own = sandboxes.Values.Where(s => s.Record.PodUid == podUid).ToList();
        return Task.FromResult(State(podUid, own));
    }

    public Task<IReadOnlyDictionary<string, PodState>> InspectAllAsync(CancellationToken ct)
    {
        using var call = operations?.Start("list_podsandbox");
        return Task.FromResult<IReadOnlyDictionary<string, PodState>>(
            sandboxes.Values.GroupBy(s => s.Record.PodUid).ToDictionary(g => g.Key, g => State(g.Key, [.. g])));
    }

    public Task<string?> FindPodOfContainerAsync(string containerId, CancellationToken ct) =>
        Task.FromResult(sandboxes.Values.FirstOrDefault(s => s.Containers.ContainsKey(containerId))?.Record.PodUid);

    public Task<string> RunSandboxAsync(Cri.PodSandboxConfig config, string runtimeHandler, CancellationToken ct)
    {
        using var call = operations?.Start("run_podsandbox");
        var host = config.Linux.SecurityContext.NamespaceOptions.Network == Cri.NamespaceMode.Node;
        var record = new SandboxRecord
        {
            Id = NewId(),
            PodUid = config.Metadata.Uid,
            Namespace = config.Metadata.Namespace,
            Name = config.Metadata.Name,
            Attempt = config.Metadata.Attempt,
            Ready = true,
            CreatedAt = Now,
            HostNetwork = host,
            IPs = host ? [] : [prefix + ((Interlocked.Increment(ref lastAddress) % 250) + 2).ToString(CultureInfo.InvariantCulture)],
        };
        sandboxes[record.Id] = new Sandbox(record);
        return Task.FromResult(record.Id);
    }

    public Task StopSandboxAsync(string sandboxId, CancellationToken ct)
    {
        using var call = operations?.Start("stop_podsandbox");
        if (sandboxes.TryGetValue(sandboxId, out var sandbox))
        {
            sandbox.Record = sandbox.Record with { Ready = false };
            foreach (var container in sandbox.Containers.Values)
                End(sandbox, container, 137);
        }

        return Task.CompletedTask;
    }

    public Task RemoveSandboxAsync(string sandboxId, CancellationToken ct)
    {
        using var call = operations?.Start("remove_podsandbox");
        sandboxes.TryRemove(sandboxId, out _);
        return Task.CompletedTask;
    }

    public Task<Uri> PortForwardUrlAsync(string sandboxId, IReadOnlyList<int> ports, CancellationToken ct) => throw Simulated();

    public Task<string> CreateContainerAsync(string sandboxId, Cri.ContainerConfig config, Cri.PodSandboxConfig sandboxConfig, CancellationToken ct)
    {
        using var call = operations?.Start("create_container");
        if (!sandboxes.TryGetValue(sandboxId, out var sandbox))
        {
            operations?.Failed("create_container");
            throw new RuntimeException($"sandbox {sandboxId} does not exist") { NotFound = true };
        }


        var image = config.Image.UserSpecifiedImage.Length > 0 ? config.Image.UserSpecifiedImage : config.Image.Image;
        var record = new ContainerRecord
        {
            Id = NewId(),
            SandboxId = sandboxId,
            PodUid = sandbox.Record.PodUid,
            Name = config.Metadata.Name,
            RestartCount = (int)config.Metadata.Attempt,
            Phase = ContainerPhase.Created,
            CreatedAt = Now,
            Image = image,
            ImageId = ImageId(image),
            Resources = config.Annotations.TryGetValue(RuntimeLabels.Resources, out var resources) ? resources : "",
            SpecHash = config.Annotations.TryGetValue(RuntimeLabels.SpecHash, out var hash) ? hash : "",
        };
        sandbox.Containers[record.Id] = record;
        return Task.FromResult(record.Id);
    }

    public Task StartContainerAsync(string containerId, CancellationToken ct)
    {
        using var call = operations?.Start("start_container");
        var (sandbox, container) = Find(containerId, "start_container");
        sandbox.Containers[containerId] = container with { Phase = ContainerPhase.Running, StartedAt = Now };
        return Task.CompletedTask;
    }

    public Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken ct)
    {
        using var call = operations?.Start("stop_container");
        var (sandbox, container) = Find(containerId, "stop_container");
        End(sandbox, container, 0);
        return Task.CompletedTask;
    }

    /// <summary>Lets a container end by itself, as a test or a simulated job wants it.</summary>
    public void Exit(string containerId, int exitCode)
    {
        var (sandbox, container) = Find(containerId);
        End(sandbox, container, exitCode);
        news.Writer.TryWrite(new RuntimeEvent(sandbox.Record.PodUid, containerId));
    }

    public Task RemoveContainerAsync(string containerId, CancellationToken ct)
    {
        using var call = operations?.Start("remove_container");
        foreach (var sandbox in sandboxes.Values)
            sandbox.Containers.TryRemove(containerId, out _);
        return Task.CompletedTask;
    }

    public Task UpdateResourcesAsync(string containerId, Cri.LinuxContainerResources resources, CancellationToken ct) => Task.CompletedTask;

    public Task ReopenLogAsync(string containerId, CancellationToken ct) => Task.CompletedTask;

    public Task<ExecResult> ExecAsync(string containerId, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken ct) =>
        Task.FromResult(new ExecResult(0, [], []));

    public Task<Uri> ExecUrlAsync(string containerId, IReadOnlyList<string> command, StreamSelection streams, CancellationToken ct) => throw Simulated();

    public Task<Uri> AttachUrlAsync(string containerId, StreamSelection streams, CancellationToken ct) => throw Simulated();

    public Task<ImageRecord?> FindImageAsync(string image, CancellationToken ct) =>
        Task.FromResult<ImageRecord?>(new ImageRecord(ImageId(image), [image], [], 1024, false, null, ""));

    public Task<IReadOnlyList<ImageRecord>> ListImagesAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<ImageRecord>>([]);

    public Task<string> PullImageAsync(string image, Cri.AuthConfig? auth, Cri.PodSandboxConfig? sandboxConfig, CancellationToken ct) => Task.FromResult(image);

    public Task RemoveImageAsync(string image, CancellationToken ct) => Task.CompletedTask;

    public Task<ImageFilesystem?> ImageFilesystemAsync(CancellationToken ct) => Task.FromResult<ImageFilesystem?>(null);

    public Task<IReadOnlyList<ContainerUsage>> UsageAsync(CancellationToken ct) => Task.FromResult<IReadOnlyList<ContainerUsage>>([]);

    public async IAsyncEnumerable<RuntimeEvent> WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var item in news.Reader.ReadAllAsync(ct))
            yield return item;
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private static RuntimeException Simulated() => new("containers of this node are simulated");

    private static string ImageId(string image) => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(image)));

    private string NewId() => Interlocked.Increment(ref lastId).ToString("x64", CultureInfo.InvariantCulture);

    private (Sandbox Sandbox, ContainerRecord Container) Find(string containerId, string? operation = null)
    {
        foreach (var sandbox in sandboxes.Values)
            if (sandbox.Containers.TryGetValue(containerId, out var container))
                return (sandbox, container);
        if (operation is not null)
            operations?.Failed(operation);
        throw new RuntimeException($"container {containerId} does not exist") { NotFound = true };
    }

    private void End(Sandbox sandbox, ContainerRecord container, int exitCode)
    {
        if (container.Phase == ContainerPhase.Exited)
            return;
        sandbox.Containers[container.Id] = container with
        {
            Phase = ContainerPhase.Exited,
            ExitCode = exitCode,
            FinishedAt = Now,
            Reason = exitCode == 0 ? "Completed" : "Error",
        };
    }

    private static PodState State(string uid, List<Sandbox> own) => new(
        uid,
        [.. own.Select(s => s.Record).OrderByDescending(s => s.Attempt)],
        [.. own.SelectMany(s => s.Containers.Values).OrderByDescending(c => c.RestartCount).ThenByDescending(c => c.CreatedAt)]);

    private sealed class Sandbox(SandboxRecord record)
    {
        public SandboxRecord Record { get; set; } = record;

        public ConcurrentDictionary<string, ContainerRecord> Containers { get; } = new();
    }
}
