using Mesh.Api;
using Mesh.Api.Batch.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Jobs;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.CronJobs;

/// <summary>The shell around <see cref="CronJobDecision"/>: makes jobs when their time has come, and forgets old ones.</summary>
internal sealed class CronJobController : KeyedController
{
    private const string JobsByOwner = "controllerUid";
    private readonly IInformer<CronJob> _crons;
    private readonly IInformer<Job> _jobs;
    private readonly IEventRecorder _recorder;

    internal CronJobController(ControllerContext context)
        : base(context, "cronjob-controller", "cronjob")
    {
        _recorder = context.Recorder("cronjob-controller");
        _crons = WatchPrimary<CronJob>();
        _jobs = Watch<Job>();
        _jobs.AddIndex(JobsByOwner, j => Owners.ControllerOf(j)?.Uid is { } uid ? [uid] : []);
        _jobs.AddHandler((old, now) =>
        {
            var job = now ?? old!;
            if (Owners.ControllerOf(job) is { Kind: "CronJob" } owner) Enqueue(new ObjectKey(job.Metadata.Namespace, owner.Name ?? ""));
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_crons.Lister.Get(key.Namespace, key.Name) is not { } cron) return ReconcileResult.Done;
        var jobs = await JobsAsync(cron, ct).ConfigureAwait(false);
        // A job that runs and is not listed is most often our own last act, which the cache of cron jobs has not shown yet.
        if (jobs.Any(j => !JobFacts.IsFinished(j) && cron.Status?.Active?.Exists(r => r.Uid == j.Metadata.Uid) != true))
        {
            try
            {
                cron = await Client.GetAsync<CronJob>(key.Namespace, key.Name, ct).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                return ReconcileResult.Done;
            }
        }

        var plan = CronJobDecision.Decide(cron, jobs, Context.Now);
        foreach (var news in plan.News)
        {
            if (news.Warning) _recorder.Warning(cron, news.Reason, news.Message);
            else _recorder.Normal(cron, news.Reason, news.Message);
        }

        foreach (var job in plan.Forget.Concat(plan.Replace)) await DeleteAsync(cron, job, ct).ConfigureAwait(false);
        var status = plan.Status;
        if (plan.Create is { } create && await CreateAsync(cron, create.Job, ct).ConfigureAwait(false) is { } made)
        {
            (status.Active ??= []).Add(CronJobDecision.Reference(made));
            status.LastScheduleTime = create.At;
        }

        if (!CronJobStatus.SemanticEquals(cron.Status ?? new(), status))
        {
            var changed = cron.Clone();
            changed.Status = status;
            await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        }

        return plan.Recheck is { } after ? ReconcileResult.After(after) : ReconcileResult.Done;
    }

    /// <summary>The cron job's jobs; one that is listed as active and the cache does not have may only not have come to it yet.</summary>
    private async Task<List<Job>> JobsAsync(CronJob cron, CancellationToken ct)
    {
        var jobs = _jobs.Lister.ByIndex(JobsByOwner, cron.Metadata.Uid ?? "").ToList();
        foreach (var active in cron.Status?.Active ?? [])
        {
            if (jobs.Exists(j => j.Metadata.Uid == active.Uid)) continue;
            try
            {
                var job = await Client.GetAsync<Job>(cron.Metadata.Namespace, active.Name ?? "", ct).ConfigureAwait(false);
                if (job.Metadata.Uid == active.Uid) jobs.Add(job);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // really missing
            }
        }

        return jobs;
    }

    /// <summary>The job; one that an earlier attempt made counts as made now. Null when the namespace is going away.</summary>
    private async Task<Job?> CreateAsync(CronJob cron, Job job, CancellationToken ct)
    {
        try
        {
            var made = await Client.CreateAsync(job, ct).ConfigureAwait(false);
            _recorder.Normal(cron, "SuccessfulCreate", "Created job " + made.Metadata.Name);
            return made;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var there = await Client.GetAsync<Job>(job.Metadata.Namespace, job.Metadata.Name!, ct).ConfigureAwait(false);
            if (Owners.IsControlledBy(there, cron)) return there;
            _recorder.Warning(cron, "FailedCreate", "Error creating job: " + e.Message);
            throw;
        }
        catch (ApiException e)
        {
            if (PodMaker.IsTerminatingNamespace(e)) return null;
            _recorder.Warning(cron, "FailedCreate", "Error creating job: " + e.Message);
            throw;
        }
    }

    private async Task DeleteAsync(CronJob cron, Job job, CancellationToken ct)
    {
        try
        {
            await Client.DeleteAsync<Job>(job.Metadata.Namespace, job.Metadata.Name!, new DeleteOptions { PropagationPolicy = "Background" }, ct).ConfigureAwait(false);
            _recorder.Normal(cron, "SuccessfulDelete", "Deleted job " + job.Metadata.Name);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // already gone
        }
    }
}
