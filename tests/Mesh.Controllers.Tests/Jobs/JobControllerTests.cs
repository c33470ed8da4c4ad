using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Jobs;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Jobs;

public sealed class JobControllerTests : ControllerTest
{
    private Job Now => Client.Find<Job>("ns", "work")!;

    [Fact]
    public async Task Runs_to_completion_and_counts_every_pod_once()
    {
        Client.Seed(JobMake.Job(3, 2));
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Now.Status is { Active: 2, Ready: 0, StartTime: not null }, "two run", c);
        Assert.All(Client.All<Pod>(), p =>
        {
            Assert.StartsWith("work-", p.Metadata.Name, StringComparison.Ordinal);
            Assert.Equal(["batch.kubernetes.io/job-tracking"], p.Metadata.Finalizers);
            Assert.Equal(("batch/v1", "Job"), (p.Metadata.OwnerReferences![0].ApiVersion, p.Metadata.OwnerReferences[0].Kind));
        });
        End("Succeeded");
        await SettleAsync(() => Now.Status is { Active: 1, Succeeded: 2 }, "the third runs", c);
        End("Succeeded");
        await SettleAsync(() => Now.Status?.CompletionTime is not null, "complete", c);
        Assert.Equal(["SuccessCriteriaMet", "Complete"], Now.Status!.Conditions!.Select(x => x.Type));
        Assert.All(Now.Status.Conditions!, x => Assert.Equal(("True", "CompletionsReached", "Reached expected number of succeeded pods"), (x.Status, x.Reason, x.Message)));
        Assert.Equal((3, null, null), (Now.Status.Succeeded, Now.Status.Failed, Now.Status.Active));
        Assert.All(Client.All<Pod>(), p => Assert.True(p.Metadata.Finalizers is null or { Count: 0 }));
        Assert.Equal(3, Events.All.Count(e => e.StartsWith("Normal SuccessfulCreate: Created pod: work-", StringComparison.Ordinal)));
        Assert.Equal(1, Events.All.Count(e => e == "Normal Completed: Job completed"));
    }

    [Fact]
    public async Task An_adopted_pod_is_tracked_as_one_of_its_own()
    {
        var job = JobMake.Job(1, 1);
        job.Spec!.Selector = new() { MatchLabels = new() { ["a"] = "b" } };
        Client.Seed(job);
        Client.Seed(new Pod { Metadata = new() { Name = "stray", Namespace = "ns", Labels = new() { ["a"] = "b" } }, Spec = new() { NodeName = "n" }, Status = new() { Phase = "Running" } });
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<Pod>("ns", "stray")!.Metadata.OwnerReferences is { Count: 1 }, "adopted", c);
        Assert.Equal(["batch.kubernetes.io/job-tracking"], Client.Find<Pod>("ns", "stray")!.Metadata.Finalizers);
        Assert.Single(Client.All<Pod>());
    }

    [Fact]
    public async Task No_pod_too_many_while_caches_catch_up()
    {
        // Reconciled again and again while caches come to what was written: whichever is ahead, no third pod is made.
        Client.Seed(JobMake.Job(2, 2));
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Now.Status is { Active: 2 } && Client.All<Pod>().Count == 2, "two run", c);
        for (var round = 0; round < 50 && Now.Status?.CompletionTime is null; round++)
        {
            End("Succeeded");
            await c.DrainAsync();
        }

        await SettleAsync(() => Now.Status?.CompletionTime is not null, "complete", c);
        Assert.Equal((2, 2), (Client.All<Pod>().Count, Now.Status!.Succeeded));
    }

    [Fact]
    public async Task Failures_back_off_until_the_limit()
    {
        Client.Seed(JobMake.Job(1, 1, backoffLimit: 1));
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 1, "first", c);
        End("Failed");
        await SettleAsync(() => Now.Status?.Failed == 1, "counted", c);
        Assert.Single(Client.All<Pod>());
        Time.Advance(TimeSpan.FromSeconds(11));
        await SettleAsync(() => Client.All<Pod>().Count == 2, "second", c);
        End("Failed");
        await SettleAsync(() => JobFacts.IsFinished(Now), "failed", c);
        Assert.Equal(["FailureTarget", "Failed"], Now.Status!.Conditions!.Select(x => x.Type));
        Assert.Equal((2, null), (Now.Status.Failed, Now.Status.CompletionTime));
        Assert.Contains("Warning BackoffLimitExceeded: Job has reached the specified backoff limit", Events.All);
    }

    [Fact]
    public async Task Suspending_ends_the_pods_and_resuming_makes_new_ones()
    {
        Client.Seed(JobMake.Job(1, 1));
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().Count == 1, "runs", c);
        var job = Now;
        job.Spec!.Suspend = true;
        await Client.UpdateAsync(job);
        await SettleAsync(() => Now.Status?.Conditions is [{ Type: "Suspended", Status: "True" }] && Client.All<Pod>().Count == 0, "suspended", c);
        Assert.Contains("Normal Suspended: Job suspended", Events.All);
        job = Now;
        job.Spec!.Suspend = false;
        await Client.UpdateAsync(job);
        await SettleAsync(() =>
        {
            Time.Advance(TimeSpan.FromSeconds(15)); // the pod that was deleted counts as a failure
            return Client.All<Pod>().Count == 1;
        }, "resumed", c);
        Assert.Contains("Normal Resumed: Job resumed", Events.All);
    }

    [Fact]
    public async Task Pods_of_a_job_that_is_gone_are_let_go()
    {
        var job = JobMake.Job();
        Client.Seed(JobMake.Pod(job, "left", "Running"));
        var orphan = JobMake.Pod(job, "orphan", "Running");
        orphan.Metadata.OwnerReferences = null;
        Client.Seed(orphan);
        using var c = new JobController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.All<Pod>().All(p => p.Metadata.Finalizers is null or { Count: 0 }), "no finalizers", c);
    }

    [Fact]
    public async Task A_finished_job_goes_when_its_time_has_passed()
    {
        var job = JobMake.Job(change: s => s.TtlSecondsAfterFinished = 60);
        job.Status = new JobStatus { Conditions = [JobConditions.New("Complete", "CompletionsReached", "", Time.Now)] };
        Client.Seed(job);
        using var c = new TtlAfterFinishedController(Context);
        await StartAsync(c);
        await SettleAsync(() => c.Queue.Count == 0, "seen", c);
        Time.Advance(TimeSpan.FromSeconds(59));
        await c.DrainAsync();
        Assert.Null(Now.Metadata.DeletionTimestamp);
        Time.Advance(TimeSpan.FromSeconds(2));
        await SettleAsync(() => Client.Find<Job>("ns", "work") is not { Metadata.DeletionTimestamp: null }, "deleted", c);
    }

    /// <summary>What a node agent would tell: every pod that has not ended ends now.</summary>
    private void End(string phase)
    {
        foreach (var pod in Client.All<Pod>())
        {
            if (pod.Status?.Phase is "Succeeded" or "Failed") continue;
            pod.Status = new PodStatus
            {
                Phase = phase,
                ContainerStatuses = [new ContainerStatus { Name = "c", State = new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = phase == "Failed" ? 1 : 0, FinishedAt = Time.Now } } }],
            };
            Client.Seed(pod);
        }
    }
}
