using Mesh.Api;
using Mesh.Api.Batch.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Jobs;

/// <summary>Deletes finished jobs, and with them their pods, when their ttlSecondsAfterFinished has passed (KEP-592).</summary>
internal sealed class TtlAfterFinishedController : KeyedController
{
    private readonly IInformer<Job> _jobs;

    internal TtlAfterFinishedController(ControllerContext context)
        : base(context, "ttl-after-finished-controller", "ttl_jobs_to_delete") => _jobs = WatchPrimary<Job>(j => Expires(j) is not null);

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_jobs.Lister.Get(key.Namespace, key.Name) is not { } job || Expires(job) is not { } at) return ReconcileResult.Done;
        if (at > Context.Now) return ReconcileResult.After(at - Context.Now);
        try
        {
            // The time may have been changed since: what the cache says is not enough to delete by.
            job = await Client.GetAsync<Job>(key.Namespace, key.Name, ct).ConfigureAwait(false);
            if (Expires(job) is not { } still) return ReconcileResult.Done;
            if (still > Context.Now) return ReconcileResult.After(still - Context.Now);
            await Client.DeleteAsync<Job>(
                key.Namespace, key.Name,
                new DeleteOptions { PropagationPolicy = "Foreground", Preconditions = new Preconditions { Uid = job.Metadata.Uid, ResourceVersion = job.Metadata.ResourceVersion } },
                ct).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // already gone
        }

        return ReconcileResult.Done;
    }

    private static DateTime? Expires(Job job) =>
        job.Metadata.DeletionTimestamp is null && job.Spec?.TtlSecondsAfterFinished is { } seconds
            ? job.Status?.Conditions?.Find(c => c is { Type: "Complete" or "Failed", Status: "True" })?.LastTransitionTime?.AddSeconds(seconds)
            : null;
}
