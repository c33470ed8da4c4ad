using System.Diagnostics;

namespace Mesh.ServiceProxy.Nftables;

/// <summary>Forgets tracked flows.</summary>
internal interface IConntrack
{
    /// <summary>Deletes UDP flows to a virtual address and port, all (backend null) or those that end at one backend.</summary>
    ValueTask DeleteUdpAsync(string virtualIp, int port, string? backend, CancellationToken ct);
}

/// <summary>By the conntrack tool: rare enough (UDP backends that go) not to speak netlink ourselves.</summary>
internal sealed class ConntrackTool : IConntrack
{
    public async ValueTask DeleteUdpAsync(string virtualIp, int port, string? backend, CancellationToken ct)
    {
        var start = new ProcessStartInfo("conntrack") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-D", "-p", "udp", "--orig-dst", virtualIp, "--dport", port.ToString()])
            start.ArgumentList.Add(argument);
        if (backend is not null)
        {
            start.ArgumentList.Add("--dst-nat");
            start.ArgumentList.Add(backend);
        }

        try
        {
            using var process = Process.Start(start);
            // Exit code 1 only says that no flow matched.
            if (process is not null)
                await process.WaitForExitAsync(ct);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // Without the tool stale UDP flows end by their own time-out (30 s without traffic).
        }
    }
}
