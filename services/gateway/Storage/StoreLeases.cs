using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Storage;

/// <summary>
/// Leases for objects that end by themselves (events: one hour). Objects written within a minute share a lease, so that the store
/// keeps few leases; an object may live up to that minute longer.
/// </summary>
internal sealed class StoreLeases(EtcdClient client, TimeProvider time)
{
    private static readonly TimeSpan Reuse = TimeSpan.FromMinutes(1);
    private readonly Lock gate = new();
    private readonly Dictionary<TimeSpan, (Task<long> Id, DateTimeOffset Until)> leases = [];

    /// <summary>A lease that lasts at least ttl.</summary>
    public Task<long> GetAsync(TimeSpan ttl, CancellationToken ct)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (leases.TryGetValue(ttl, out var lease) && now < lease.Until && !lease.Id.IsFaulted && !lease.Id.IsCanceled) return lease.Id.WaitAsync(ct);
            var granted = GrantAsync(ttl + Reuse);
            leases[ttl] = (granted, now + Reuse);
            return granted.WaitAsync(ct);
        }
    }

    private async Task<long> GrantAsync(TimeSpan ttl) =>
        (await client.LeaseGrantAsync(new LeaseGrantRequest { TTL = (long)ttl.TotalSeconds }, CancellationToken.None)).ID;
}
