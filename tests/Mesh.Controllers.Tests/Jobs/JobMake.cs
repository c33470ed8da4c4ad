using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Jobs;

namespace Mesh.Controllers.Tests.Jobs;

/// <summary>Jobs and their pods for tests.</summary>
internal static class JobMake
{
    internal static readonly DateTime Now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    internal static Job Job(int? completions = 1, int parallelism = 1, int backoffLimit = 6, Action<JobSpec>? change = null)
    {
        var job = new Job
        {
            Metadata = new ObjectMeta { Namespace = "ns", Name = "work", Uid = "j-uid", Generation = 1 },
            Spec = new JobSpec
            {
                Completions = completions,
                Parallelism = parallelism,
                BackoffLimit = backoffLimit,
                Selector = new LabelSelector { MatchLabels = new() { ["batch.kubernetes.io/controller-uid"] = "j-uid" } },
                Template = new PodTemplateSpec
                {
                    Metadata = new ObjectMeta { Labels = new() { ["batch.kubernetes.io/controller-uid"] = "j-uid", ["batch.kubernetes.io/job-name"] = "work" } },
                    Spec = new PodSpec { RestartPolicy = "Never", Containers = [new Container { Name = "c", Image = "busybox" }] },
                },
            },
        };
        change?.Invoke(job.Spec);
        return job;
    }

    internal static Pod Pod(Job job, string name, string phase, int index = -1, int indexFailures = -1, int? exitCode = null, DateTime? finished = null)
    {
        var pod = JobPods.Make(job, new NewPod(index, indexFailures, 0));
        (pod.Metadata.Name, pod.Metadata.Uid) = (name, name + "-uid");
        pod.Status = new PodStatus { Phase = phase };
        if (exitCode is { } code)
        {
            pod.Status.ContainerStatuses =
            [
                new ContainerStatus { Name = "c", State = new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = code, FinishedAt = finished ?? Now } } },
            ];
        }

        return pod;
    }

    internal static JobPlan Decide(Job job, IReadOnlyList<Pod> pods, DateTime? now = null, PodBackoff backoff = default) =>
        JobDecision.Decide(new JobView(job, pods, JobFacts.HasFinalizer, true, backoff, now ?? Now));
}
