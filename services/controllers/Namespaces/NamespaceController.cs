using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Namespaces;

/// <summary>Empties namespaces that are being deleted, then lets them go by finalizing them.</summary>
internal sealed class NamespaceController : KeyedController
{
    private const string Finalizer = "kubernetes";
    private readonly IInformer<Namespace> _namespaces;
    private readonly ApiResource _podResource;
    private readonly IReadOnlyList<ApiResource> _others;

    internal NamespaceController(ControllerContext context)
        : base(context, "namespace-controller", "namespace")
    {
        (_podResource, _others) = NamespaceContents.Resources(ResourceTable.All);
        _namespaces = WatchPrimary<Namespace>(n => n.Metadata.DeletionTimestamp is not null);
        Watch<Pod>().AddHandler((old, now) =>
        {
            // The last pod's end is what a namespace most often waits for.
            if (now is null && IsTerminating(old!.Metadata.Namespace)) Enqueue(new ObjectKey(null, old.Metadata.Namespace!));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_namespaces.Lister.Get(null, key.Name) is not { Metadata.DeletionTimestamp: not null } ns) return ReconcileResult.Done;
        if (ns.Spec?.Finalizers?.Contains(Finalizer) != true) return ReconcileResult.Done;

        var report = new DeletionReport();
        await EmptyAsync(_podResource, key.Name, report, ct).ConfigureAwait(false);
        if (report.Empty)
        {
            foreach (var resource in _others) await EmptyAsync(resource, key.Name, report, ct).ConfigureAwait(false);
        }

        if (!report.Empty)
        {
            await ReportAsync(ns, report, ct).ConfigureAwait(false);
            return ReconcileResult.After(TimeSpan.FromSeconds(report.Failures.Count > 0 ? 5 : 1));
        }

        var final = ns.Clone();
        final.Spec!.Finalizers!.Remove(Finalizer);
        try
        {
            await Client.UpdateSubresourceAsync<Namespace>(null, key.Name, "finalize", KubeJson.Serialize(final), ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // gone already
        }

        return ReconcileResult.Done;
    }

    private bool IsTerminating(string? ns) => ns is not null && _namespaces.Lister.Get(null, ns)?.Metadata.DeletionTimestamp is not null;

    /// <summary>Deletes what there is of one resource and counts what is still there afterwards.</summary>
    private async Task EmptyAsync(ApiResource resource, string ns, DeletionReport report, CancellationToken ct)
    {
        try
        {
            var options = new DeleteOptions { PropagationPolicy = "Background" };
            foreach (var head in await ListAsync(resource, ns, ct).ConfigureAwait(false))
            {
                if (head.Metadata.DeletionTimestamp is not null) continue;
                try
                {
                    await Client.DeleteRawAsync(resource, ns, head.Metadata.Name!, options, ct).ConfigureAwait(false);
                }
                catch (ApiException e) when (e.IsNotFound)
                {
                    // gone meanwhile
                }
            }

            var left = await ListAsync(resource, ns, ct).ConfigureAwait(false);
            if (left.Count == 0) return;
            report.Remaining[resource.Plural + "." + resource.Group] = left.Count;
            foreach (var finalizer in left.SelectMany(h => h.Metadata.Finalizers ?? []))
                report.Finalizers[finalizer] = report.Finalizers.GetValueOrDefault(finalizer) + 1;
        }
        catch (ApiException e) when (e.Code is 404 or 405)
        {
            // a resource that this gateway does not serve has no objects
        }
        catch (ApiException e)
        {
            report.Failures.Add($"{resource.Plural}.{resource.Group}: {e.Message}");
        }
    }

    private async Task<List<PartialObjectMetadata>> ListAsync(ApiResource resource, string ns, CancellationToken ct)
    {
        var list = await Client.ListRawAsync(resource, new ListQuery(ns), ct).ConfigureAwait(false);
        return [.. list.Items.Select(bytes => KubeJson.Deserialize<PartialObjectMetadata>(bytes.Span))];
    }

    private async Task ReportAsync(Namespace ns, DeletionReport report, CancellationToken ct)
    {
        var changed = ns.Clone();
        changed.Status ??= new NamespaceStatus();
        changed.Status.Phase = "Terminating";
        changed.Status.Conditions = NamespaceContents.Conditions(ns.Status?.Conditions, report, Context.Now);
        if (!NamespaceStatus.SemanticEquals(ns.Status, changed.Status)) await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
    }
}
