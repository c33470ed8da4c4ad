using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Runtime.Containerd;

/// <summary>
/// The agent's own containerd: started in its own session so that it outlives the agent, adopted when one runs already,
/// started again when it dies. Pods do not notice either.
/// </summary>
/// <remarks>
/// containerd runs in the agent's mount namespace: volumes the agent mounts are the ones containers see. Whoever wants a private
/// namespace starts the agent in one; a restarted agent finds the old namespace by <see cref="FindProcess"/>.
/// </remarks>
internal sealed class ContainerdProcess(ContainerdOptions options, HostProbe host, ILogger<ContainerdProcess> log)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WatchStep = TimeSpan.FromSeconds(1);

    /// <summary>The gRPC socket.</summary>
    public string SocketPath => options.SocketPath;

    /// <summary>Makes sure that a containerd with the present configuration serves; returns when it does.</summary>
    public async Task EnsureAsync(CancellationToken ct)
    {
        var missing = host.Missing();
        if (missing.Count > 0 && (options.Binary ?? host.Containerd) is null or "" || !host.Root)
            throw new RuntimeException("containers cannot run here; missing: " + string.Join("; ", missing));
        System.IO.Directory.CreateDirectory(options.Directory);
        System.IO.Directory.CreateDirectory(options.RootDirectory);
        System.IO.Directory.CreateDirectory(options.StateDirectory);
        System.IO.Directory.CreateDirectory(options.CniConfigDirectory);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(options.SocketPath)!);
        var running = FindProcess();
        if (running is not null && await AnswersAsync(ct))
        {
            ContainerdLog.Adopted(log, running.Value, options.SocketPath);
            return;
        }

        await File.WriteAllTextAsync(options.ConfigPath, ContainerdConfig.Write(options, host), ct);
        await StartAsync(ct);
    }

    /// <summary>Looks after the process until cancelled: starts it again whenever it is gone.</summary>
    public async Task SuperviseAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(WatchStep, ct);
            if (FindProcess() is not null)
                continue;
            ContainerdLog.Died(log, options.LogPath);
            try
            {
                await StartAsync(ct);
            }
            catch (RuntimeException e)
            {
                ContainerdLog.StartFailed(log, e.Message);
            }
        }
    }

    /// <summary>Process id of the containerd with our configuration, or null.</summary>
    public int? FindProcess()
    {
        if (!File.Exists(options.PidPath) || !int.TryParse(File.ReadAllText(options.PidPath).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            return null;
        try
        {
            // A pid is used again by the kernel: only the command line tells that it is still ours.
            var state = File.ReadAllText($"/proc/{pid}/stat");
            var zombie = state[(state.LastIndexOf(')') + 2)..].StartsWith('Z');
            return !zombie && File.ReadAllText($"/proc/{pid}/cmdline").Contains(options.ConfigPath, StringComparison.Ordinal) ? pid : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Ends containerd (not its containers); for the node's removal.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (FindProcess() is not { } pid)
            return;
        using var process = Process.GetProcessById(pid);
        LinuxProcess.Signal(pid, LinuxProcess.SigTerm);
        var until = Stopwatch.StartNew();
        while (FindProcess() is not null && until.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Delay(20, ct);
        if (FindProcess() is not null)
            LinuxProcess.Signal(pid, LinuxProcess.SigKill);
        File.Delete(options.PidPath);
    }

    private async Task StartAsync(CancellationToken ct)
    {
        var binary = options.Binary ?? host.Containerd ?? "containerd";
        // A shell writes the pid before it becomes containerd; setsid keeps signals meant for the agent's group away from it.
        var script = $"echo $$ > '{options.PidPath}'; exec '{binary}' -c '{options.ConfigPath}' >> '{options.LogPath}' 2>&1 < /dev/null";
        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in new[] { "--fork", "sh", "-c", script })
            start.ArgumentList.Add(argument);
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment.Remove("NOTIFY_SOCKET");
        var clock = Stopwatch.StartNew();
        using (var process = Process.Start(start) ?? throw new RuntimeException("setsid could not be started"))
            await process.WaitForExitAsync(ct);
        while (clock.Elapsed < StartLimit)
        {
            if (await AnswersAsync(ct))
            {
                ContainerdLog.Started(log, FindProcess() ?? 0, clock.ElapsedMilliseconds);
                return;
            }

            await Task.Delay(25, ct);
            if (clock.Elapsed > TimeSpan.FromSeconds(2) && FindProcess() is null)
                break;
        }

        throw new RuntimeException($"containerd does not answer on {options.SocketPath}; its last words: {LastWords()}");
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        if (!File.Exists(options.SocketPath))
            return false;
        using var connection = new CriV1.CriConnection(options.SocketPath);
        using var runtime = new CriV1.CriRuntime(connection);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            await runtime.VersionAsync(limit.Token);
            return true;
        }
        catch (Exception e) when (e is RuntimeException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private string LastWords()
    {
        try
        {
            return string.Join(" | ", File.ReadLines(options.LogPath).TakeLast(3));
        }
        catch (IOException)
        {
            return "none";
        }
    }
}

/// <summary>Logs of the containerd process.</summary>
internal static partial class ContainerdLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "containerd (pid {Pid}) runs already on {Socket}; adopted")]
    public static partial void Adopted(ILogger log, int pid, string socket);

    [LoggerMessage(Level = LogLevel.Information, Message = "containerd (pid {Pid}) serves after {Milliseconds} ms")]
    public static partial void Started(ILogger log, int pid, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "containerd is gone; starting it again (log: {LogPath})")]
    public static partial void Died(ILogger log, string logPath);

    [LoggerMessage(Level = LogLevel.Error, Message = "containerd did not start: {Reason}")]
    public static partial void StartFailed(ILogger log, string reason);
}
