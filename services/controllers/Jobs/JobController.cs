using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Mesh.Api;
using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>The shell around <see cref="JobDecision"/>: claims pods, makes and deletes them, counts the ended ones, reports.</summary>
internal sealed class JobController : KeyedController
{
    private const string PodsByJobName = "jobName";
    private readonly IInformer<Job> _jobs;
    private readonly IInformer<Pod> _pods;
    private readonly IEventRecorder _recorder;
    private readonly PodMaker _maker;
    private readonly Expectations _expectations;
    private readonly ConcurrentDictionary<ObjectKey, PodBackoff> _backoff = new();

    /// <summary>The revision of our last status write: on an older job, pods already counted and let go would seem never to have been.</summary>
    private readonly ConcurrentDictionary<ObjectKey, long> _written = new();

    /// <summary>Pods whose finalizer we took off and the cache still shows with it: they must not be counted again.</summary>
    private readonly ConcurrentDictionary<string, byte> _released = new(StringComparer.Ordinal);

    internal JobController(ControllerContext context)
        : base(context, "job-controller", "job")
    {
        _recorder = context.Recorder("job-controller");
        _maker = new PodMaker(context.Client, _recorder);
        _expectations = new Expectations(context.Time);
        _jobs = WatchPrimary<Job>();
        _pods = Watch<Pod>();
        PodIndexes.Add(_pods);
        _pods.AddIndex(PodsByJobName, p => JobFacts.HasFinalizer(p) && JobName(p) is { } name ? [p.Metadata.Namespace + "/" + name] : []);
        _pods.AddHandler(OnPod);
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        var job = _jobs.Lister.Get(key.Namespace, key.Name);
        await ReleaseStrangersAsync(key, job, ct).ConfigureAwait(false);
        if (job is null || JobFacts.IsFinished(job))
        {
            _expectations.Forget(key);
            _backoff.TryRemove(key, out _);
            _written.TryRemove(key, out _);
            return ReconcileResult.Done;
        }

        // The newer one is on its way and wakes us; the delay is only for a watch that is lost just now.
        if (_written.TryGetValue(key, out var written) && Revision(job) < written) return ReconcileResult.After(TimeSpan.FromSeconds(1));
        if (job.Spec?.ManagedBy is { Length: > 0 } and not "kubernetes.io/job-controller") return ReconcileResult.Done;
        var mayAct = _expectations.Satisfied(key);
        var claims = ClaimDecision.Decide(job, LabelSelectors.OfWorkload(job.Spec?.Selector), PodIndexes.Candidates(_pods.Lister, job));
        var pods = await ClaimDecision.ActAsync(Client, job, claims, ct, JobFacts.Finalizer).ConfigureAwait(false);

        var plan = JobDecision.Decide(new JobView(job, pods, IsTracked, mayAct, _backoff.GetValueOrDefault(key), Context.Now));
        var error = await ActAsync(key, job, plan, ct).ConfigureAwait(false);
        await CountAsync(key, job, plan, pods, ct).ConfigureAwait(false);
        if (error is not null && !PodMaker.IsTerminatingNamespace(error)) ExceptionDispatchInfo.Throw(error);
        return plan.Recheck is { } after ? ReconcileResult.After(after) : ReconcileResult.Done;
    }

    // The pod in hand may be older than the cache. A release is forgotten only when the cache shows it, so who asks for the release first and the cache then
    // sees one of the two: a pod is never counted twice.
    private bool IsTracked(Pod pod) => JobFacts.HasFinalizer(pod) && !_released.ContainsKey(pod.Metadata.Uid!)
        && _pods.Lister.Get(pod.Metadata.Namespace, pod.Metadata.Name!) is { } seen && seen.Metadata.Uid == pod.Metadata.Uid && JobFacts.HasFinalizer(seen);

    private async Task<Exception?> ActAsync(ObjectKey key, Job job, JobPlan plan, CancellationToken ct)
    {
        if (plan.Create.Count > 0)
        {
            _expectations.ExpectCreations(key, plan.Create.Count);
            var (done, failure) = await SlowStart.RunAsync(
                plan.Create.Count, i => _maker.CreateAsync(job, JobPods.Make(job, plan.Create[i]), ct)).ConfigureAwait(false);
            if (done == plan.Create.Count) return null;
            _expectations.CreationObserved(key, plan.Create.Count - done);
            plan.Status.Active = JobDecision.OrNull((plan.Status.Active ?? 0) - (plan.Create.Count - done));
            return failure;
        }

        if (plan.Delete.Count == 0) return null;
        _expectations.ExpectDeletions(key, plan.Delete.Select(p => p.Metadata.Uid!));
        var failures = await Task.WhenAll(plan.Delete.Select(async pod =>
        {
            try
            {
                await _maker.DeleteAsync(job, pod, ct).ConfigureAwait(false);
                return null;
            }
            catch (Exception e)
            {
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
                return e is ApiException { IsNotFound: true } ? null : e;
            }
        })).ConfigureAwait(false);
        return failures.FirstOrDefault(e => e is not null);
    }

    /// <summary>Names ended pods, takes their finalizers off, counts them, and says when the job is finished.</summary>
    private async Task CountAsync(ObjectKey key, Job job, JobPlan plan, IReadOnlyList<Pod> pods, CancellationToken ct)
    {
        var status = plan.Status;
        job = await ReportAsync(job, status, ct).ConfigureAwait(false);
        _backoff[key] = plan.Backoff;
        if (plan.Event is { } news) _recorder.Normal(job, news.Reason, news.Message);
        await Task.WhenAll(plan.Release.Select(p => ReleaseAsync(p, ct))).ConfigureAwait(false);

        status = status.Clone();
        var tracked = pods.Where(IsTracked).Select(p => p.Metadata.Uid).ToHashSet();
        Uncounted.Settle(status, tracked.Contains);
        var finished = plan.Terminal is not null && tracked.Count == 0 && Uncounted.AllIn(status);
        if (finished)
        {
            (status.Conditions ??= []).Add(plan.Terminal!);
            if (plan.Terminal!.Type == "Complete") status.CompletionTime = Context.Now;
        }

        await ReportAsync(job, status, ct).ConfigureAwait(false);
        if (!finished) return;
        if (plan.Terminal!.Type == "Complete") _recorder.Normal(job, "Completed", "Job completed");
        else _recorder.Warning(job, plan.Terminal.Reason!, plan.Terminal.Message!);
    }

    private async Task<Job> ReportAsync(Job job, JobStatus status, CancellationToken ct)
    {
        if (JobStatus.SemanticEquals(job.Status ?? new(), status)) return job;
        var changed = job.Clone();
        changed.Status = status.Clone();
        var now = await Client.UpdateStatusAsync(changed, ct).ConfigureAwait(false);
        _written[ObjectKey.Of(now)] = Revision(now);
        return now;
    }

    private static long Revision(Job job) =>
        long.TryParse(job.Metadata.ResourceVersion, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    /// <summary>Pods with our finalizer that belong to no job, or to one that is finished: nobody will count them.</summary>
    private async Task ReleaseStrangersAsync(ObjectKey key, Job? job, CancellationToken ct)
    {
        var selector = job is null ? null : LabelSelectors.OfWorkload(job.Spec?.Selector);
        foreach (var pod in _pods.Lister.ByIndex(PodsByJobName, key.Namespace + "/" + key.Name))
        {
            if (!IsTracked(pod)) continue;
            var owner = Owners.ControllerOf(pod);
            var ours = job is not null && (owner is null ? job.Metadata.DeletionTimestamp is null && selector!.Matches(pod.Metadata.Labels) : owner.Uid == job.Metadata.Uid);
            if (!ours || JobFacts.IsFinished(job!)) await ReleaseAsync(pod, ct).ConfigureAwait(false);
        }
    }

    private async Task ReleaseAsync(Pod pod, CancellationToken ct)
    {
        var uid = pod.Metadata.Uid!;
        _released[uid] = 0;
        try
        {
            await Client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name!, PatchType.Strategic, JobPods.ReleasePatch(pod), ct: ct).ConfigureAwait(false);
            if (_pods.Lister.Get(pod.Metadata.Namespace, pod.Metadata.Name!) is not { } seen || seen.Metadata.Uid != uid || !JobFacts.HasFinalizer(seen))
                _released.TryRemove(uid, out _); // the cache has shown it already, so no handler will
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict || e.IsInvalid)
        {
            _released.TryRemove(uid, out _); // gone, or a namesake
        }
        catch
        {
            _released.TryRemove(uid, out _);
            throw;
        }
    }

    private void OnPod(Pod? old, Pod? now)
    {
        var pod = now ?? old!;
        if (now is null || !JobFacts.HasFinalizer(now)) _released.TryRemove(pod.Metadata.Uid!, out _);
        if (JobName(pod) is not { } name) return;
        var key = new ObjectKey(pod.Metadata.Namespace, name);
        if (_jobs.Lister.Get(key.Namespace, name) is { } job && Owners.IsControlledBy(pod, job))
        {
            if (now is null || (now.Metadata.DeletionTimestamp is not null && old?.Metadata.DeletionTimestamp is null))
                _expectations.DeletionObserved(key, pod.Metadata.Uid!);
            else if (old is null) _expectations.CreationObserved(key);
        }

        Enqueue(key);
    }

    private static string? JobName(Pod pod) =>
        Owners.ControllerOf(pod) is { } owner ? owner.Kind == "Job" ? owner.Name : null : pod.Metadata.Labels?.GetValueOrDefault(JobFacts.NameLabel);
}
