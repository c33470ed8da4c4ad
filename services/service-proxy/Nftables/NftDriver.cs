using System.Diagnostics;
using Mesh.ServiceProxy.Model;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>The data plane in the kernel's nf_tables: flat maps, one transaction a batch.</summary>
internal sealed class NftDriver(NftLibrary library, NftOptions options, IConntrack conntrack, ILogger<NftDriver> logger) : IForwardingDriver
{
    private readonly NftScript script = new(options.Table);

    public string Name => "nftables";

    public ValueTask ResetAsync(IReadOnlyCollection<VirtualPort> ports, CancellationToken ct)
    {
        script.Clear();
        var text = NftRuleset.Create(options.Table, options.PodCidr, options.ServiceCidr) + script.Compile(ports.Select(p => new VirtualPortChange(null, p)));
        Run(text);
        script.Commit();
        return ValueTask.CompletedTask;
    }

    public async ValueTask ApplyAsync(IReadOnlyList<VirtualPortChange> changes, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var text = script.Compile(changes);
        if (text.Length > 0)
            Run(text);
        script.Commit();
        Log.Applied(logger, changes.Count, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        await ForgetFlowsAsync(changes, ct);
    }

    /// <summary>The table stays: connections go on while the proxy is away, as with kube-proxy.</summary>
    public ValueTask DisposeAsync()
    {
        library.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Deletes everything the driver ever put into the kernel.</summary>
    public static void CleanUp(NftLibrary library, string table)
    {
        if (!library.TryRun($"add table ip {table}\ndelete table ip {table}\n", out var error))
            throw new InvalidOperationException($"nft: {error.Trim()}");
    }

    private void Run(string text)
    {
        if (!library.TryRun(text, out var error))
            throw new InvalidOperationException($"nft refused the change: {error.Trim()}");
    }

    /// <summary>UDP has no end of connection: flows to backends that are gone, or that began before there was one, are forgotten.</summary>
    private async ValueTask ForgetFlowsAsync(IReadOnlyList<VirtualPortChange> changes, CancellationToken ct)
    {
        foreach (var (old, now) in changes)
        {
            if ((old ?? now)!.Transport != Transport.Udp)
                continue;
            foreach (var ip in (now ?? old)!.ClusterIps)
            {
                foreach (var gone in (old?.Internal ?? []).Except(now?.Internal ?? []))
                    await conntrack.DeleteUdpAsync(ip, (old ?? now)!.Port, gone.Address, ct);
                if (old is { Internal.Count: 0 } or null && now is { Internal.Count: > 0 })
                    await conntrack.DeleteUdpAsync(ip, now.Port, null, ct);
            }
        }
    }
}

/// <summary>Where the driver works: table name and the cluster's address ranges.</summary>
internal sealed record NftOptions(string Table, string PodCidr, string ServiceCidr);
