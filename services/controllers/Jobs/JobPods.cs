using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api.Batch.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Workloads;

namespace Mesh.Controllers.Jobs;

/// <summary>The pods of a job, and the patch that lets one go.</summary>
internal static class JobPods
{
    private const string IndexVariable = "JOB_COMPLETION_INDEX";

    internal static Pod Make(Job job, NewPod wanted)
    {
        var pod = PodMaker.FromTemplate(job, job.Spec?.Template);
        var meta = pod.Metadata;
        if (meta.Finalizers?.Contains(JobFacts.Finalizer) != true) (meta.Finalizers ??= []).Add(JobFacts.Finalizer);
        if (wanted.Index < 0) return pod;

        var index = Text(wanted.Index);
        (meta.Annotations ??= [])[JobFacts.IndexKey] = index;
        (meta.Labels ??= [])[JobFacts.IndexKey] = index;
        if (wanted.Failures >= 0) meta.Annotations[JobFacts.IndexFailures] = Text(wanted.Failures);
        if (wanted.Ignored > 0) meta.Annotations[JobFacts.IndexIgnoredFailures] = Text(wanted.Ignored);
        meta.GenerateName = $"{job.Metadata.Name}-{index}-";
        pod.Spec!.Hostname = $"{job.Metadata.Name}-{index}";
        foreach (var c in (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []))
        {
            if (c.Env?.Exists(e => e.Name == IndexVariable) == true) continue;
            (c.Env ??= []).Add(new EnvVar
            {
                Name = IndexVariable,
                ValueFrom = new EnvVarSource { FieldRef = new ObjectFieldSelector { FieldPath = $"metadata.labels['{JobFacts.IndexKey}']" } },
            });
        }

        return pod;
    }

    /// <summary>A strategic patch that takes our finalizer off; the uid guards against a namesake.</summary>
    internal static byte[] ReleasePatch(Pod pod) => Json.Bytes(new JsonObject
    {
        ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid, ["$deleteFromPrimitiveList/finalizers"] = new JsonArray(JobFacts.Finalizer) },
    });

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
