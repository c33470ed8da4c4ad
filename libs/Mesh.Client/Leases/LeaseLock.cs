using Mesh.Api;
using Mesh.Api.Coordination.V1;
using Mesh.Api.Meta.V1;

namespace Mesh.Client;

/// <summary>What a Lease says about its holder. Times are UTC.</summary>
public sealed record LeaseRecord(string HolderIdentity, int DurationSeconds, DateTime AcquireTime, DateTime RenewTime, int Transitions);

/// <summary>A coordination.k8s.io/v1 Lease used as a lock: whoever writes it against the version it read holds it.</summary>
public sealed class LeaseLock(IKubeClient client, string ns, string name, string identity)
{
    private Lease? _last;

    /// <summary>Who we are in the record.</summary>
    public string Identity => identity;

    /// <summary>Reads the record; null when there is no lease yet.</summary>
    public async Task<LeaseRecord?> GetAsync(CancellationToken ct)
    {
        try
        {
            _last = await client.GetAsync<Lease>(ns, name, ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Status.Code == 404)
        {
            _last = null;
            return null;
        }

        var spec = _last.Spec;
        return new LeaseRecord(
            spec?.HolderIdentity ?? "", spec?.LeaseDurationSeconds ?? 0, spec?.AcquireTime ?? default, spec?.RenewTime ?? default, spec?.LeaseTransitions ?? 0);
    }

    /// <summary>Writes the record against what <see cref="GetAsync"/> read; 409 when someone was faster.</summary>
    public async Task PutAsync(LeaseRecord record, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(record);
        var lease = _last?.Clone() ?? new Lease { Metadata = new ObjectMeta { Namespace = ns, Name = name } };
        lease.Spec = new LeaseSpec
        {
            HolderIdentity = record.HolderIdentity,
            LeaseDurationSeconds = record.DurationSeconds,
            AcquireTime = record.AcquireTime,
            RenewTime = record.RenewTime,
            LeaseTransitions = record.Transitions,
        };
        _last = _last is null
            ? await client.CreateAsync(lease, ct).ConfigureAwait(false)
            : await client.UpdateAsync(lease, ct).ConfigureAwait(false);
    }

    /// <summary>namespace/name.</summary>
    public override string ToString() => $"{ns}/{name}";
}
