using Mesh.ServiceProxy.Model;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy.Userspace;

/// <summary>
/// The data plane in this process, where the kernel's may not be programmed: a listener for every address and port, spliced to the backends.
/// Cluster IPs need a local route for the service range (<c>ip route add local CIDR dev lo</c>); without it, and for ports that may not be
/// bound, the port is logged and left out.
/// </summary>
internal sealed class UserspaceDriver(NativeForwarder forwarder, ILogger<UserspaceDriver> logger) : IForwardingDriver
{
    private const string AnyAddress = "0.0.0.0";
    private readonly Dictionary<(Transport Transport, string Address, int Port), int> listeners = [];

    public string Name => "userspace";

    public ValueTask ResetAsync(IReadOnlyCollection<VirtualPort> ports, CancellationToken ct)
    {
        foreach (var id in listeners.Values)
            forwarder.Close(id);
        listeners.Clear();
        foreach (var port in ports)
            Put(port);
        return ValueTask.CompletedTask;
    }

    public ValueTask ApplyAsync(IReadOnlyList<VirtualPortChange> changes, CancellationToken ct)
    {
        // First what goes: another port may take over its address within the batch.
        foreach (var (old, now) in changes)
        {
            foreach (var (address, port, _) in Places(old).ExceptBy(Places(now).Select(p => (p.Address, p.Port)), p => (p.Address, p.Port)))
                Close((old!.Transport, address, port));
        }

        foreach (var change in changes)
            Put(change.New);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        forwarder.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Put(VirtualPort? now)
    {
        if (now is null)
            return;
        foreach (var (address, port, backends) in Places(now))
        {
            var key = (now.Transport, address, port);
            if (!listeners.TryGetValue(key, out var id))
            {
                id = forwarder.Listen(now.Transport, address, port);
                if (id < 0)
                {
                    Log.ServiceSkipped(logger, now.Name, $"cannot listen on {address}:{port} (errno {-id})");
                    continue;
                }

                listeners[key] = id;
            }

            forwarder.Set(id, backends, now.AffinitySeconds);
        }
    }

    private void Close((Transport, string, int) key)
    {
        if (listeners.Remove(key, out var id))
            forwarder.Close(id);
    }

    private static IEnumerable<(string Address, int Port, IReadOnlyList<Backend> Backends)> Places(VirtualPort? port)
    {
        if (port is null)
            yield break;
        foreach (var ip in port.ClusterIps)
            yield return (ip, port.Port, port.Internal);
        foreach (var ip in port.ExternalIps)
            yield return (ip, port.Port, port.External);
        if (port.NodePort > 0)
            yield return (AnyAddress, port.NodePort, port.External);
    }
}
