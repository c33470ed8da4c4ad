using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Quotas;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Quotas;

/// <summary>
/// Keeps the status of ResourceQuotas. Admission charges what is created; this counts anew when a quota's spec changes, when something counted goes away or ends,
/// and every minute, which gives back what was charged for objects that were refused after all.
/// </summary>
internal sealed class ResourceQuotaController : KeyedController
{
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(1);
    private readonly CancellationTokenSource _stopped = new();
    private readonly IInformer<ResourceQuota> _quotas;
    private readonly IInformer<Pod> _pods;
    private readonly IInformer<Service> _services;
    private readonly IInformer<PersistentVolumeClaim> _claims;
    private readonly ResourceCounts _counts;

    internal ResourceQuotaController(ControllerContext context)
        : base(context, "resourcequota-controller", "resource_quota_controller")
    {
        _quotas = Watch<ResourceQuota>();
        _quotas.AddHandler((old, now) =>
        {
            // A charge is no reason to count: the cache may not show yet what was charged for.
            if (now is not null && (old is null || !ResourceQuotaSpec.SemanticEquals(old.Spec ?? new(), now.Spec ?? new()) || !SaysItsLimits(now))) Enqueue(ObjectKey.Of(now));
        });
        _pods = Watch<Pod>();
        _pods.AddHandler((old, now) =>
        {
            if (old is not null && (now is null || (!IsOver(old) && IsOver(now)) || old.Metadata.DeletionTimestamp != now.Metadata.DeletionTimestamp)) Gone(old.Metadata.Namespace);
        });
        _services = Watch<Service>();
        _services.AddHandler((old, now) =>
        {
            if (old is not null && (now is null || !ServiceSpec.SemanticEquals(old.Spec ?? new(), now.Spec ?? new()))) Gone(old.Metadata.Namespace);
        });
        _claims = Watch<PersistentVolumeClaim>();
        _claims.AddHandler((old, now) =>
        {
            if (old is not null && now is null) Gone(old.Metadata.Namespace);
        });
        _counts = new ResourceCounts(Client, Gone, context.Time, Logger, _stopped.Token);
    }

    public override void Dispose()
    {
        _stopped.Cancel();
        _stopped.Dispose();
        base.Dispose();
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_quotas.Lister.Get(key.Namespace, key.Name) is not { } quota) return ReconcileResult.Done;
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var scoped = quota.Spec is { Scopes.Count: > 0 } or { ScopeSelector: not null };
        foreach (var name in quota.Spec?.Hard?.Keys.ToArray() ?? [])
        {
            if (Counted(name) is { } resource) counts[name] = scoped ? 0 : await _counts.CountAsync(resource, key.Namespace!, ct).ConfigureAwait(false);
        }

        var status = QuotaDecision.Decide(quota, Objects(key.Namespace!), counts, Context.Time.GetUtcNow());
        if (!ResourceQuotaStatus.SemanticEquals(quota.Status ?? new(), status))
        {
            var changed = quota.Clone();
            changed.Status = status;
            await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        }

        return ReconcileResult.After(Resync);
    }

    // Resources that are only counted: all but those whose objects have amounts of their own.
    private static ApiResource? Counted(string name)
    {
        foreach (var resource in ResourceTable.All)
        {
            if (resource.Namespaced && resource is not { Group: "", Plural: "pods" or "services" or "persistentvolumeclaims" } && QuotaUsage.IsAbout(resource, name)) return resource;
        }

        return null;
    }

    // Somebody else may have written the status.
    private static bool SaysItsLimits(ResourceQuota quota) => ResourceQuotaSpec.SemanticEquals(new() { Hard = quota.Spec?.Hard }, new() { Hard = quota.Status?.Hard });

    private static bool IsOver(Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    private IEnumerable<(ApiResource Resource, JsonObject Object)> Objects(string ns) =>
        Trees(_pods, ns).Concat(Trees(_services, ns)).Concat(Trees(_claims, ns));

    private static IEnumerable<(ApiResource Resource, JsonObject Object)> Trees<T>(IInformer<T> informer, string ns)
        where T : class, IKubeObject<T> => informer.Lister.List(ns).Select(static o => (T.Resource, JsonNode.Parse(KubeJson.Serialize(o))!.AsObject()));

    private void Gone(string? ns)
    {
        if (ns is null) return;
        foreach (var quota in _quotas.Lister.List(ns)) Enqueue(ObjectKey.Of(quota));
    }
}
