using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Tables of apps and batch.</summary>
internal static class WorkloadTables
{
    private const string TemplateColumns = ", Containers+, Images+, Selector+";

    public static TableKind Deployment { get; } = new(Column.Line("Name, Ready, Up-to-date, Available, Age" + TemplateColumns), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        return
        [
            o.Name(), $"{Cell.Count(status, "readyReplicas")}/{Cell.Count(spec, "replicas")}", Cell.Count(status, "updatedReplicas"), Cell.Count(status, "availableReplicas"),
            Cell.Age(o, now), Cell.Containers(spec.Obj("template")), Cell.Images(spec.Obj("template")), Cell.Selector(spec.Obj("selector")),
        ];
    });

    public static TableKind ReplicaSet { get; } = new(Column.Line("Name, Desired#, Current#, Ready#, Age" + TemplateColumns), static (o, now) =>
        Replicas(o, now, Cell.Selector(o.Obj("spec", "selector"))));

    public static TableKind ReplicationController { get; } = new(Column.Line("Name, Desired#, Current#, Ready#, Age" + TemplateColumns), static (o, now) =>
        Replicas(o, now, Cell.Labels(o.Obj("spec", "selector"))));

    public static TableKind Scale { get; } = new(Column.Line("Name, Desired#, Available#, Age"), static (o, now) =>
        [o.Name(), Cell.Count(o.Obj("spec"), "replicas"), Cell.Count(o.Obj("status"), "replicas"), Cell.Age(o, now)]);

    public static TableKind StatefulSet { get; } = new(Column.Line("Name, Ready, Age, Containers+, Images+"), static (o, now) =>
    {
        var template = o.Obj("spec", "template");
        return [o.Name(), $"{Cell.Count(o.Obj("status"), "readyReplicas")}/{Cell.Count(o.Obj("spec"), "replicas")}", Cell.Age(o, now), Cell.Containers(template), Cell.Images(template)];
    });

    public static TableKind DaemonSet { get; } = new(
        Column.Line("Name, Desired#, Current#, Ready#, Up-to-date#, Available#, Node Selector, Age" + TemplateColumns), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        return
        [
            o.Name(), Cell.Count(status, "desiredNumberScheduled"), Cell.Count(status, "currentNumberScheduled"), Cell.Count(status, "numberReady"),
            Cell.Count(status, "updatedNumberScheduled"), Cell.Count(status, "numberAvailable"), Cell.Labels(spec.Obj("template", "spec").Obj("nodeSelector")), Cell.Age(o, now),
            Cell.Containers(spec.Obj("template")), Cell.Images(spec.Obj("template")), Cell.Selector(spec.Obj("selector")),
        ];
    });

    public static TableKind Job { get; } = new(Column.Line("Name, Status, Completions, Duration, Age" + TemplateColumns), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var done = Cell.Count(status, "succeeded");
        var parallelism = spec.Num("parallelism") ?? 1;
        var completions = spec.Num("completions") is { } wanted ? $"{done}/{wanted}" : parallelism > 1 ? $"{done}/1 of {parallelism}" : $"{done}/1";
        var duration = HumanDuration.Parse(status.Str("startTime")) is { } start
            ? HumanDuration.Text((HumanDuration.Parse(status.Str("completionTime")) ?? now) - start) : string.Empty;
        return
        [
            o.Name(), JobStatus(o, status), completions, duration, Cell.Age(o, now),
            Cell.Containers(spec.Obj("template")), Cell.Images(spec.Obj("template")), Cell.Selector(spec.Obj("selector")),
        ];
    });

    public static TableKind CronJob { get; } = new(
        Column.Line("Name, Schedule, Timezone, Suspend?, Active#, Last Schedule, Age" + TemplateColumns), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var template = spec.Obj("jobTemplate", "spec").Obj("template");
        var last = status.Str("lastScheduleTime");
        return
        [
            o.Name(), spec.Str("schedule"), Cell.Or(spec.Str("timeZone"), Cell.None), Cell.Flag(spec, "suspend"), Cell.Size(status, "active"),
            last.Length == 0 ? Cell.None : HumanDuration.Since(last, now), Cell.Age(o, now),
            Cell.Containers(template), Cell.Images(template), Cell.Selector(spec.Obj("jobTemplate", "spec").Obj("selector")),
        ];
    });

    public static TableKind ControllerRevision { get; } = new(Column.Line("Name, Controller, Revision, Age"), static (o, now) =>
    {
        var owner = o.Obj("metadata").Items("ownerReferences").FirstOrDefault(r => r.Item.Bool("controller")).Item;
        var version = owner.Str("apiVersion");
        var group = version.Contains('/') ? "." + version[..version.IndexOf('/')] : string.Empty;
        return [o.Name(), owner is null ? Cell.None : $"{owner.Str("kind").ToLowerInvariant()}{group}/{owner.Str("name")}", Cell.Count(o, "revision"), Cell.Age(o, now)];
    });

    public static TableKind Autoscaler { get; } = new(Column.Line("Name, Reference, Targets, MinPods, MaxPods, Replicas, Age"), static (o, now) =>
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        var target = spec.Obj("scaleTargetRef");
        return
        [
            o.Name(), $"{target.Str("kind")}/{target.Str("name")}", AutoscalerTargets.Text(spec, status), spec.Num("minReplicas")?.ToString() ?? Cell.Unset,
            Cell.Count(spec, "maxReplicas"), Cell.Count(status, "currentReplicas"), Cell.Age(o, now),
        ];
    });

    private static object?[] Replicas(JsonObject o, DateTimeOffset now, string selector)
    {
        var (spec, status) = (o.Obj("spec"), o.Obj("status"));
        return
        [
            o.Name(), Cell.Count(spec, "replicas"), Cell.Count(status, "replicas"), Cell.Count(status, "readyReplicas"), Cell.Age(o, now),
            Cell.Containers(spec.Obj("template")), Cell.Images(spec.Obj("template")), selector,
        ];
    }

    private static string JobStatus(JsonObject job, JsonObject? status)
    {
        foreach (var type in new[] { "Complete", "Failed", string.Empty, "Suspended", "FailureTarget", "SuccessCriteriaMet" })
        {
            if (type.Length == 0 ? job.Obj("metadata").Has("deletionTimestamp") : Cell.Condition(status, type) == "True")
                return type.Length == 0 ? "Terminating" : type;
        }

        return "Running";
    }
}
