using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Jobs;
using Xunit;
using static Mesh.Controllers.Tests.Jobs.JobMake;

namespace Mesh.Controllers.Tests.Jobs;

public sealed class JobDecisionTests
{
    [Theory]
    [InlineData(5, 2, 0, 2)] // no more than parallelism
    [InlineData(5, 9, 0, 5)] // no more than completions
    [InlineData(5, 3, 3, 2)] // no more than what is missing
    [InlineData(null, 4, 0, 4)] // work queue: parallelism
    public void Makes_as_many_pods_as_wanted(int? completions, int parallelism, int succeeded, int wanted)
    {
        var job = Job(completions, parallelism);
        job.Status = new JobStatus { Succeeded = succeeded };
        var plan = Decide(job, []);
        Assert.Equal(wanted, plan.Create.Count);
        Assert.Equal((wanted, 0, Now), (plan.Status.Active, plan.Status.Ready, plan.Status.StartTime));
        Assert.Null(plan.Terminal);
    }

    [Fact]
    public void A_work_queue_starts_nothing_new_after_a_success_and_is_complete_when_all_have_ended()
    {
        var job = Job(null, 3);
        var plan = Decide(job, [Pod(job, "a", "Succeeded"), Pod(job, "b", "Running")]);
        Assert.Empty(plan.Create);
        Assert.Null(plan.Terminal);
        Assert.Equal("CompletionsReached", Decide(job, [Pod(job, "a", "Succeeded"), Pod(job, "b", "Succeeded")]).Terminal!.Reason);
    }

    [Fact]
    public void Ended_pods_are_named_before_they_are_counted()
    {
        var job = Job(3, 3);
        var plan = Decide(job, [Pod(job, "a", "Succeeded"), Pod(job, "b", "Failed"), Pod(job, "c", "Running")]);
        Assert.Equal(["a-uid"], plan.Status.UncountedTerminatedPods!.Succeeded);
        Assert.Equal(["b-uid"], plan.Status.UncountedTerminatedPods.Failed);
        Assert.Equal((null, null), (plan.Status.Succeeded, plan.Status.Failed));
        Assert.Equal(["a", "b"], plan.Release.Select(p => p.Metadata.Name));
        Assert.False(Uncounted.AllIn(plan.Status));

        // Named already: not named again, and still not counted twice.
        job.Status = plan.Status;
        var again = Decide(job, [Pod(job, "a", "Succeeded"), Pod(job, "b", "Failed"), Pod(job, "c", "Running")], backoff: plan.Backoff);
        Assert.Single(again.Status.UncountedTerminatedPods!.Succeeded!);
        Uncounted.Settle(again.Status, uid => uid == "b-uid");
        Assert.Equal((1, null), (again.Status.Succeeded, again.Status.Failed));
        Assert.Equal(["b-uid"], again.Status.UncountedTerminatedPods.Failed);
    }

    [Fact]
    public void The_wait_after_failures_doubles_and_ends()
    {
        var job = Job(2, 1);
        var first = Decide(job, [Pod(job, "a", "Failed", exitCode: 1)]);
        Assert.Empty(first.Create);
        Assert.Equal(TimeSpan.FromSeconds(10), first.Recheck);
        Assert.Equal(1, first.Backoff.Failures);
        Assert.Equal(TimeSpan.FromSeconds(40), PodBackoff.Remaining(3, Now, Now));
        Assert.Equal(TimeSpan.FromMinutes(10), PodBackoff.Remaining(50, Now, Now));
        Assert.Single(Decide(job, [], Now.AddSeconds(10), first.Backoff).Create);
        Assert.Equal(0, first.Backoff.After([Pod(job, "b", "Succeeded", exitCode: 0, finished: Now.AddSeconds(1))], [], Now).Failures);
    }

    [Fact]
    public void Too_many_failures_end_the_job_and_its_running_pods()
    {
        var job = Job(5, 3, backoffLimit: 1);
        var plan = Decide(job, [Pod(job, "a", "Failed"), Pod(job, "b", "Failed"), Pod(job, "c", "Running")]);
        Assert.Equal(("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"), (plan.Terminal!.Type, plan.Terminal.Reason, plan.Terminal.Message));
        Assert.Equal(["c"], plan.Delete.Select(p => p.Metadata.Name));
        Assert.Equal("FailureTarget", Assert.Single(plan.Status.Conditions!).Type);

        // Decided once, it stays decided, whatever the pods do.
        job.Status = plan.Status;
        job.Spec!.BackoffLimit = 100;
        Assert.Equal("BackoffLimitExceeded", Decide(job, []).Terminal!.Reason);
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 1, true)]
    [InlineData(3, 2, false)]
    [InlineData(3, 3, true)]
    public void Restarts_in_place_count_too(int limit, int restarts, bool ends)
    {
        var job = Job(1, 1, limit, s => s.Template!.Spec!.RestartPolicy = "OnFailure");
        var pod = Pod(job, "a", "Running");
        pod.Status!.ContainerStatuses = [new ContainerStatus { Name = "c", RestartCount = restarts }];
        Assert.Equal(ends, Decide(job, [pod]).Terminal is not null);
    }

    [Fact]
    public void A_deadline_ends_the_job()
    {
        var job = Job(change: s => s.ActiveDeadlineSeconds = 30);
        job.Status = new JobStatus { StartTime = Now };
        Assert.Equal(TimeSpan.FromSeconds(20), Decide(job, [Pod(job, "a", "Running")], Now.AddSeconds(10)).Recheck);
        var plan = Decide(job, [Pod(job, "a", "Running")], Now.AddSeconds(30));
        Assert.Equal(("DeadlineExceeded", "Job was active longer than specified deadline"), (plan.Terminal!.Reason, plan.Terminal.Message));
        Assert.Single(plan.Delete);
    }

    [Fact]
    public void A_suspended_job_has_no_pods_and_starts_anew_when_resumed()
    {
        var job = Job(2, 2, change: s => s.Suspend = true);
        var plan = Decide(job, [Pod(job, "a", "Running")]);
        Assert.Equal((1, null, null), (plan.Delete.Count, plan.Status.StartTime, plan.Terminal));
        Assert.Equal(("Suspended", "Job suspended"), plan.Event);
        var held = Assert.Single(plan.Status.Conditions!);
        Assert.Equal(("Suspended", "True", "JobSuspended"), (held.Type, held.Status, held.Reason));

        job.Status = plan.Status;
        job.Spec!.Suspend = false;
        var resumed = Decide(job, [], Now.AddMinutes(5));
        Assert.Equal(("Resumed", "Job resumed"), resumed.Event);
        Assert.Equal((2, Now.AddMinutes(5), "False"), (resumed.Create.Count, resumed.Status.StartTime, resumed.Status.Conditions![0].Status));
    }

    [Fact]
    public void A_pod_on_its_way_out_is_replaced_at_once_or_when_it_has_ended()
    {
        foreach (var (policy, made, failed) in new[] { ("TerminatingOrFailed", 1, 1), ("Failed", 0, 0) })
        {
            var job = Job(1, 1, change: s => s.PodReplacementPolicy = policy);
            var pod = Pod(job, "a", "Running");
            pod.Metadata.DeletionTimestamp = Now.AddSeconds(-11);
            var plan = Decide(job, [pod]);
            Assert.Equal((made, 1, failed), (plan.Create.Count, plan.Status.Terminating, plan.Status.UncountedTerminatedPods!.Failed?.Count ?? 0));
        }
    }

    [Theory]
    [InlineData("FailJob", 42, "PodFailurePolicy", 0, 1)]
    [InlineData("Ignore", 42, null, 0, 0)]
    [InlineData("Count", 42, null, 0, 1)]
    [InlineData("FailJob", 1, null, 0, 1)] // no rule matches
    public void The_failure_policy_decides(string action, int exitCode, string? reason, int made, int counted)
    {
        var job = Job(2, 1, change: s => s.PodFailurePolicy = new PodFailurePolicy
        {
            Rules =
            [
                new PodFailurePolicyRule { Action = "Ignore", OnPodConditions = [new PodFailurePolicyOnPodConditionsPattern { Type = "DisruptionTarget" }] },
                new PodFailurePolicyRule { Action = action, OnExitCodes = new PodFailurePolicyOnExitCodesRequirement { ContainerName = "c", Operator = "In", Values = [42, 43] } },
            ],
        });
        var plan = Decide(job, [Pod(job, "a", "Failed", exitCode: exitCode)]);
        Assert.Equal((reason, made, counted), (plan.Terminal?.Reason, plan.Create.Count, plan.Status.UncountedTerminatedPods!.Failed?.Count ?? 0));
        if (reason is not null) Assert.Equal("Container c for pod ns/a failed with exit code 42 matching FailJob rule at index 1", plan.Terminal!.Message);

        var disrupted = Pod(job, "b", "Failed", exitCode: 43);
        disrupted.Status!.Conditions = [new PodCondition { Type = "DisruptionTarget", Status = "True" }];
        Assert.Null(Decide(job, [disrupted]).Status.UncountedTerminatedPods!.Failed);
    }

    [Fact]
    public void Indexed_jobs_run_each_index_once()
    {
        var job = Job(5, 3, change: s => s.CompletionMode = "Indexed");
        job.Status = new JobStatus { CompletedIndexes = "0", Succeeded = 1 };
        var plan = Decide(job, [Pod(job, "a", "Succeeded", 2), Pod(job, "b", "Running", 1)]);
        Assert.Equal([3, 4], plan.Create.Select(p => p.Index));
        Assert.Equal(("0,2", 2), (plan.Status.CompletedIndexes, plan.Status.Succeeded));

        var pod = JobPods.Make(job, plan.Create[0]);
        Assert.Equal(("work-3-", "work-3", "3"), (pod.Metadata.GenerateName, pod.Spec!.Hostname, pod.Metadata.Annotations![JobFacts.IndexKey]));
        Assert.Equal("metadata.labels['batch.kubernetes.io/job-completion-index']", pod.Spec.Containers![0].Env!.Single(e => e.Name == "JOB_COMPLETION_INDEX").ValueFrom!.FieldRef!.FieldPath);

        // A second pod of an index, and one without, have to go.
        Assert.Equal(["d", "x"], Decide(job, [Pod(job, "c", "Running", 1), Pod(job, "d", "Pending", 1), Pod(job, "x", "Running", 7)]).Delete.Select(p => p.Metadata.Name).Order());
    }

    [Fact]
    public void A_limit_by_index_lets_other_indexes_go_on()
    {
        var job = Job(3, 3, int.MaxValue, s => (s.CompletionMode, s.BackoffLimitPerIndex) = ("Indexed", 1));
        var failed = Pod(job, "a", "Failed", 0, indexFailures: 0, exitCode: 1);
        var wait = Decide(job, [failed, Pod(job, "b", "Running", 1), Pod(job, "c", "Running", 2)]);
        Assert.Empty(wait.Create);
        Assert.Empty(wait.Release); // it keeps the index's count until its replacement is there
        Assert.Equal(new NewPod(0, 1, 0), Assert.Single(Decide(job, [failed, Pod(job, "b", "Running", 1), Pod(job, "c", "Running", 2)], Now.AddSeconds(10)).Create));

        var second = Pod(job, "d", "Failed", 0, indexFailures: 1, exitCode: 1);
        var given = Decide(job, [failed, second, Pod(job, "b", "Running", 1), Pod(job, "c", "Running", 2)]);
        Assert.Equal(("0", 2, null), (given.Status.FailedIndexes, given.Release.Count, given.Terminal));
        job.Status = given.Status;
        var end = Decide(job, [Pod(job, "b", "Succeeded", 1), Pod(job, "c", "Succeeded", 2)]);
        Assert.Equal(("FailedIndexes", "1,2"), (end.Terminal!.Reason, end.Status.CompletedIndexes));
    }

    [Fact]
    public void A_success_policy_ends_the_job_early()
    {
        var job = Job(5, 5, change: s =>
        {
            s.CompletionMode = "Indexed";
            s.SuccessPolicy = new SuccessPolicy { Rules = [new SuccessPolicyRule { SucceededIndexes = "0-2", SucceededCount = 2 }] };
        });
        Assert.Null(Decide(job, [Pod(job, "a", "Succeeded", 4), Pod(job, "b", "Succeeded", 3)]).Terminal);
        var plan = Decide(job, [Pod(job, "a", "Succeeded", 0), Pod(job, "b", "Succeeded", 2), Pod(job, "c", "Running", 1)]);
        Assert.Equal(("Complete", "SuccessPolicy", "Matched rules at index 0", 1), (plan.Terminal!.Type, plan.Terminal.Reason, plan.Terminal.Message, plan.Delete.Count));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("0", "0")]
    [InlineData("0,1", "0,1")]
    [InlineData("0,1,2,4,6,7", "0-2,4,6,7")]
    [InlineData("3-5,7,99", "3-5,7")] // beyond the limit
    public void Index_sets_are_written_as_ranges(string text, string written) => Assert.Equal(written, IndexSet.Format(IndexSet.Parse(text, 10)));
}
