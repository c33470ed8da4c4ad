using System.Diagnostics;
using System.Text.Json;
using Mesh.NodeAgent.Cgroups;
using Mesh.NodeAgent.Network;
using Mesh.NodeAgent.Runtime;
using Mesh.NodeAgent.Runtime.Containerd;
using Mesh.NodeAgent.Runtime.CriV1;
using Mesh.NodeAgent.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeAgent;

/// <summary>
/// Takes a node's traces off the machine: its pods, its containerd, mounts, cgroups, the pod bridge. The data directory itself is the caller's.
/// The agent must have stopped.
/// </summary>
public static class NodeCleanup
{
    private const string RecordName = "cleanup.json";

    /// <summary>Removes everything of the node with this data directory; what is gone already is no error.</summary>
    public static async Task RunAsync(string dataDir, CancellationToken ct)
    {
        var paths = new NodePaths(dataDir);
        var record = Load(paths);
        if (record is null)
            return;
        var settings = NodeRuntime.Settings(new NodeAgentOptions { DataDir = dataDir }, paths);
        var process = new ContainerdProcess(settings, HostProbe.Read(), NullLogger<ContainerdProcess>.Instance);
        if (Directory.Exists(paths.Containerd))
            await RemovePodsAsync(process, ct);
        await process.StopAsync(ct);
        KillShims(settings.SocketPath);
        foreach (var mount in LinuxMount.Below(dataDir))
            LinuxMount.Unmount(mount);
        new PodCgroups(CgroupHost.Detect(), record.CgroupRoot).RemoveAll();
        await QuietlyAsync("ip", ["link", "delete", record.Bridge], ct);
        await PodMasquerade.RemoveAsync(record.Bridge, ct);
        await RemoveHostPortChainsAsync(ct);
        // The plugins' iptables made the table on first use; empty, and not there before us, it goes.
        if (!record.HadNatTable && NatTable.IsEmpty(await QuietlyAsync("nft", NatTable.List, ct)))
            await QuietlyAsync("nft", ["delete", "table", "ip", "nat"], ct);
    }

    /// <summary>Notes what a later clean-up must know.</summary>
    internal static async Task SaveAsync(NodePaths paths, string bridge, string cgroupRoot, CancellationToken ct)
    {
        Directory.CreateDirectory(paths.Data);
        var hadNatTable = Load(paths)?.HadNatTable ?? (await QuietlyAsync("nft", NatTable.List, ct)).Length > 0;
        await File.WriteAllTextAsync(Path.Combine(paths.Data, RecordName), JsonSerializer.Serialize(new Record(bridge, cgroupRoot, hadNatTable)), ct);
    }

    private static Record? Load(NodePaths paths)
    {
        var path = Path.Combine(paths.Data, RecordName);
        return File.Exists(path) ? JsonSerializer.Deserialize<Record>(File.ReadAllText(path)) : null;
    }

    private static async Task RemovePodsAsync(ContainerdProcess process, CancellationToken ct)
    {
        try
        {
            // A containerd that died is started once more: only it knows how to take the pods' networks down.
            await process.EnsureAsync(ct);
            using var runtime = new CriRuntime(new CriConnection(process.SocketPath));
            var all = await runtime.InspectAllAsync(ct);
            await Task.WhenAll(all.Values.Select(async state =>
            {
                foreach (var container in state.Containers)
                    await runtime.RemoveContainerAsync(container.Id, ct);
                foreach (var sandbox in state.Sandboxes)
                {
                    await runtime.StopSandboxAsync(sandbox.Id, ct);
                    await runtime.RemoveSandboxAsync(sandbox.Id, ct);
                }
            }));
        }
        catch (RuntimeException)
        {
            // What the runtime could not take down is killed and unmounted next.
        }
    }

    /// <summary>Shims outlive their containerd; ours are known by its socket on their command line.</summary>
    private static void KillShims(string socket)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid))
                continue;
            try
            {
                var words = File.ReadAllText(Path.Combine(directory, "cmdline")).Split('\0');
                if (words[0].Contains("containerd-shim", StringComparison.Ordinal) && words.Contains(socket))
                    LinuxProcess.Signal(pid, LinuxProcess.SigKill);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended meanwhile.
            }
        }
    }

    /// <summary>The portmap plugin's top chains stay when the last mapping goes; they are removed when nobody else has mappings.</summary>
    private static async Task RemoveHostPortChainsAsync(CancellationToken ct)
    {
        var rules = await QuietlyAsync("iptables", ["-t", "nat", "-S"], ct);
        if (!rules.Contains("CNI-HOSTPORT-DNAT", StringComparison.Ordinal) || rules.Contains("CNI-DN-", StringComparison.Ordinal))
            return;
        foreach (var rule in rules.Split('\n').Where(r => r.StartsWith("-A ", StringComparison.Ordinal) && r.Contains("CNI-HOSTPORT-", StringComparison.Ordinal)))
            await QuietlyAsync("sh", ["-c", "iptables -t nat -D " + rule[3..]], ct);
        foreach (var chain in new[] { "CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-MASQ", "CNI-HOSTPORT-SETMARK" })
        {
            await QuietlyAsync("iptables", ["-t", "nat", "-F", chain], ct);
            await QuietlyAsync("iptables", ["-t", "nat", "-X", chain], ct);
        }
    }

    private static async Task<string> QuietlyAsync(string program, string[] arguments, CancellationToken ct)
    {
        if (HostProbe.Find(program) is not { } path)
            return "";
        var start = new ProcessStartInfo(path) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start);
        if (process is null)
            return "";
        _ = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return output;
    }

    private sealed record Record(string Bridge, string CgroupRoot, bool HadNatTable);
}
