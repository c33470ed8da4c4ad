using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Storage;

/// <summary>
/// Leases for objects that end by themselves (events: one hour). Objects written within a minute share a lease, so that the store
/// keeps few leases; an object may live up to that minute longer.
/// </summary>
internal sealed class StoreLeases(EtcdClient client, TimeProvider time)
{
    private static readonly TimeSpan Reuse = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Dictionary<TimeSpan, (long Id, DateTimeOffset Until)> leases = [];

    /// <summary>A lease that lasts at least ttl.</summary>
    public async ValueTask<long> GetAsync(TimeSpan ttl, CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            var now = time.GetUtcNow();
            if (leases.TryGetValue(ttl, out var lease) && now < lease.Until) return lease.Id;
            var granted = await client.LeaseGrantAsync(new LeaseGrantRequest { TTL = (long)(ttl + Reuse).TotalSeconds }, ct);
            leases[ttl] = (granted.ID, now + Reuse);
            return granted.ID;
        }
        finally
        {
            gate.Release();
        }
    }
}
