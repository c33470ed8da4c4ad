using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Warnings about what makes pods: about its name when it is new, about its template when its spec changes.</summary>
internal static class WorkloadWarnings
{
    private const long ManyCompletions = 100_000;
    private const long ManyParallel = 10_000;

    /// <summary>Deployments and the like: the name becomes part of host names.</summary>
    public static IEnumerable<string> Named(JsonObject obj, JsonObject? old) =>
        (old is null ? Name(obj, "Pod names and hostnames") : []).Concat(Template(obj, old));

    /// <summary>The template under spec.template.</summary>
    public static IEnumerable<string> Template(JsonObject obj, JsonObject? old) =>
        Changed(obj, old) ? PodWarnings.Template("spec.template", obj.Obj("spec", "template")) : [];

    /// <summary>A job.</summary>
    public static IEnumerable<string> Job(JsonObject obj, JsonObject? old) =>
        (old is null ? Name(obj, "Pod names and hostnames") : []).Concat(Changed(obj, old) ? JobSpec("spec", obj.Obj("spec")) : []);

    /// <summary>A cron job.</summary>
    public static IEnumerable<string> CronJob(JsonObject obj, JsonObject? old)
    {
        var template = Changed(obj, old) ? JobSpec("spec.jobTemplate.spec", obj.Obj("spec", "jobTemplate").Obj("spec")) : [];
        if (old is null)
            return Name(obj, "Pod names and hostnames").Concat(template);
        return obj.Obj("spec").Str("schedule").Contains("TZ", StringComparison.Ordinal)
            ? template.Append("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details")
            : template;
    }

    /// <summary>A stateful set.</summary>
    public static IEnumerable<string> StatefulSet(JsonObject obj, JsonObject? old)
    {
        var template = Template(obj, old);
        return Changed(obj, old) && obj.Obj("spec").Num("revisionHistoryLimit") < 0
            ? template.Append("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
            : template;
    }

    /// <summary>A name that makes no label: what: where it is used.</summary>
    public static IEnumerable<string> Name(JsonObject obj, string what)
    {
        var wrong = Names.Dns1123Label(obj.Name());
        if (wrong.Count > 0)
            yield return $"metadata.name: this is used in {what}, which can result in surprising behavior; a DNS label is recommended: [{string.Join(' ', wrong)}]";
    }

    private static IEnumerable<string> JobSpec(FieldPath path, JsonObject? spec)
    {
        var many = spec.Str("completionMode") == "Indexed" && spec.Num("completions") > ManyCompletions && spec.Num("parallelism") > ManyParallel;
        return (many
                ? [$"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"]
                : Enumerable.Empty<string>())
            .Concat(PodWarnings.Template(path.Child("template"), spec.Obj("template")));
    }

    private static bool Changed(JsonObject obj, JsonObject? old) => old is null || obj.Obj("metadata").Num("generation") != old.Obj("metadata").Num("generation");
}
