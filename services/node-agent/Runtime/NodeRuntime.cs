using System.Diagnostics;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Runtime.Containerd;
using Mesh.NodeAgent.Runtime.CriV1;
using Mesh.NodeAgent.Runtime.Hollow;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Runtime;

/// <summary>The runtime a node uses, with the process behind it when that is the agent's own.</summary>
internal sealed class NodeRuntime : IDisposable
{
    private readonly ContainerdProcess? process;
    private readonly Func<CancellationToken, Task> prepare;

    private NodeRuntime(IContainerRuntime runtime, ContainerdProcess? process, bool mayLowerOomScore, Func<CancellationToken, Task> prepare)
    {
        (Runtime, this.process, MayLowerOomScore, this.prepare) = (runtime, process, mayLowerOomScore, prepare);
    }

    public IContainerRuntime Runtime { get; }

    public bool MayLowerOomScore { get; }

    /// <summary>It can be talked to.</summary>
    public bool Started { get; private set; }

    public static NodeRuntime Hollow(TimeProvider time, string podCidr = "10.0.0.0/24", RuntimeOperations? operations = null) => new(new HollowRuntime(time, podCidr, operations), null, true, _ => Task.CompletedTask);

    /// <summary>The runtime that the settings name.</summary>
    public static NodeRuntime From(NodeAgentOptions options, RuntimeOperations operations, TimeProvider time, ILoggerFactory loggers)
    {
        if (options.Runtime == "hollow")
            return Hollow(time, options.PodCidr.Length > 0 ? options.PodCidr : "10.0.0.0/24", operations);
        var host = HostProbe.Read();
        var archive = options.SandboxArchive.Length > 0 ? options.SandboxArchive : Path.Combine(AppContext.BaseDirectory, "pause.tar");
        if (options.Containerd != "managed")
        {
            var foreign = new CriRuntime(new CriConnection(options.Containerd, operations));
            return new NodeRuntime(foreign, null, host.CanLowerOomScore, _ => Task.CompletedTask);
        }

        var paths = new NodePaths(options.DataDir);
        var settings = Settings(options, paths);
        var process = new ContainerdProcess(settings, host, loggers.CreateLogger<ContainerdProcess>());
        var own = new CriRuntime(new CriConnection(settings.SocketPath, operations));
        return new NodeRuntime(own, process, host.CanLowerOomScore, ct => ImportAsync(own, options.SandboxImage, archive, settings.SocketPath, ct));
    }

    public static ContainerdOptions Settings(NodeAgentOptions options, NodePaths paths) => new()
    {
        Directory = paths.Containerd,
        CniConfigDirectory = paths.CniConfig,
        SandboxImage = options.SandboxImage,
        RegistryConfigDirectory = options.RegistryConfigDir,
    };

    /// <summary>Brings the runtime up; returns when it answers. Throws RuntimeException saying what is missing.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        if (process is not null)
            await process.EnsureAsync(ct);
        await prepare(ct);
        Started = true;
    }

    public Task SuperviseAsync(CancellationToken ct) => process?.SuperviseAsync(ct) ?? Task.Delay(Timeout.InfiniteTimeSpan, ct);

    public void Dispose() => (Runtime as IDisposable)?.Dispose();

    /// <summary>Puts a docker-archive into containerd's store. Throws RuntimeException with ctr's words.</summary>
    public static async Task ImportArchiveAsync(string socket, string archive, CancellationToken ct)
    {
        var start = new ProcessStartInfo(HostProbe.Find("ctr") ?? "ctr") { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { "--address", socket, "--namespace", "k8s.io", "images", "import", archive })
            start.ArgumentList.Add(argument);
        using var ctr = Process.Start(start) ?? throw new RuntimeException("ctr could not be started");
        var output = ctr.StandardOutput.ReadToEndAsync(ct);
        var error = await ctr.StandardError.ReadToEndAsync(ct);
        await ctr.WaitForExitAsync(ct);
        _ = await output;
        if (ctr.ExitCode != 0)
            throw new RuntimeException($"image archive {archive} was not imported: {error.Trim()}");
    }

    private static async Task ImportAsync(CriRuntime runtime, string image, string archive, string socket, CancellationToken ct)
    {
        // Without the archive the image is pulled when the first pod needs it.
        if (File.Exists(archive) && await runtime.FindImageAsync(image, ct) is null)
            await ImportArchiveAsync(socket, archive, ct);
    }
}
