using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Jobs: the selector and its labels are made from the job's uid unless manualSelector says otherwise.</summary>
internal sealed class JobStrategy() : KindStrategy(Of("batch", "v1", "jobs"), hasStatus: true, generation: true)
{
    private static readonly string[] Fields = ["status.successful"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [(obj.Obj("status").Num("succeeded") ?? 0).ToString()];

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => DefaultSpec(obj, obj.Ensure("spec"));

    /// <summary>Defaults of a job's spec, alone and in a cron job.</summary>
    public static void DefaultSpec(JsonObject? job, JsonObject spec)
    {
        // Neither given means one pod; completions alone stays what it is.
        if (spec["completions"] is null && spec["parallelism"] is null)
            (spec["completions"], spec["parallelism"]) = (1, 1);
        spec.Default("parallelism", 1);
        spec.Default("completionMode", "NonIndexed");
        spec.Default("suspend", false);
        spec.Default("podReplacementPolicy", spec.Has("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
        spec.Default("manualSelector", false);
        foreach (var (_, rule) in spec.Obj("podFailurePolicy").Items("rules"))
        {
            foreach (var (_, pattern) in rule.Items("onPodConditions"))
                pattern.Default("status", "True");
        }

        if (spec.Has("backoffLimitPerIndex"))
            spec.Default("backoffLimit", int.MaxValue);
        spec.Default("backoffLimit", 6);
        if (job is not null)
            LabelLikePods(job, spec);
        PodDefaults.Template(spec.Obj("template"));
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject();
        var spec = obj.Ensure("spec");
        var (uid, name) = (obj.Obj("metadata").Str("uid"), obj.Name());
        if (spec.Bool("manualSelector") || uid.Length == 0)
            return;
        var labels = spec.Ensure("template").Ensure("metadata").Ensure("labels");
        foreach (var prefix in new[] { "batch.kubernetes.io/", string.Empty })
        {
            labels.TryAdd(prefix + "controller-uid", uid);
            labels.TryAdd(prefix + "job-name", name);
        }

        spec.Ensure("selector").Ensure("matchLabels").TryAdd("batch.kubernetes.io/controller-uid", uid);
        LabelLikePods(obj, spec); // as whoever reads it will see it
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        GeneratedSelector(errors, obj, spec);
        JobValidation.Spec(errors, "spec", spec);
        if (!spec.Has("selector"))
            errors.Add(FieldError.Required("spec.selector"));
        else
            errors.LabelSelector("spec.selector", spec.Obj("selector"));
        if (Workload.SelectorFits(spec) == false)
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", spec.Obj("template").Obj("metadata", "labels"), "`selector` does not match template `labels`"));

        // Pods of an indexed job are called after it and their index.
        if (spec.Str("completionMode") == "Indexed" && spec.Num("completions") is > 0 and var completions && Names.Dns1123Label($"{obj.Name()}-{completions - 1}").Count > 0)
            errors.Add(FieldError.Invalid("metadata.name", obj.Name(), $"will not able to create pod with invalid DNS label: {obj.Name()}-{completions - 1}"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        Completions(errors, spec, was);
        errors.Unchanged("spec.selector", spec["selector"], was["selector"]);
        Template(errors, spec, was, MayMove(old));
        errors.Unchanged("spec.completionMode", spec["completionMode"], was["completionMode"]);
        foreach (var field in new[] { "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy" })
            errors.Unchanged(new FieldPath("spec").Child(field), spec[field], was[field]);
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var status = obj.Obj("status");
        foreach (var field in new[] { "active", "succeeded", "failed", "ready", "terminating" })
            errors.NonNegative(new FieldPath("status").Child(field), status.Num(field));
    }

    // A job without labels is labelled as its pods are.
    private static void LabelLikePods(JsonObject job, JsonObject spec)
    {
        if ((job.Obj("metadata", "labels")?.Count ?? 0) == 0 && spec.Obj("template").Obj("metadata", "labels") is { Count: > 0 } labels)
            job.Ensure("metadata")["labels"] = labels.DeepClone();
    }

    // The labels and the selector that the server makes must be the ones it made.
    private static void GeneratedSelector(List<FieldError> errors, JsonObject obj, JsonObject spec)
    {
        if (spec.Bool("manualSelector") || !spec.Has("selector"))
            return;
        var uid = obj.Obj("metadata").Str("uid");
        if (uid.Length == 0)
            errors.Add(FieldError.Required("metadata.uid"));
        var labels = spec.Obj("template").Obj("metadata", "labels");
        var expected = new JsonObject();
        foreach (var (key, value) in new[] { ("controller-uid", uid), ("job-name", obj.Name()), ("batch.kubernetes.io/controller-uid", uid), ("batch.kubernetes.io/job-name", obj.Name()) })
        {
            expected[key] = value;
            var path = new FieldPath("spec.template.metadata.labels").Key(key);
            var prefixed = key.Contains('/');
            if (labels?.ContainsKey(key) != true)
                errors.Add(FieldError.Required(path, $"must be '{value}'") with { Rule = prefixed ? Ratchet.LabelMissing : null });
            else if (labels.Str(key) != value)
                errors.Add(FieldError.Invalid(path, labels, $"must be '{value}'") with { Rule = prefixed ? Ratchet.LabelOther : null });
        }

        if (!Check.SelectorMatches(spec.Obj("selector"), expected))
            errors.Add(FieldError.Invalid("spec.selector", spec["selector"], "`selector` not auto-generated"));
    }

    // An indexed job may be scaled as long as as many run as must be done (KEP-3715).
    private static void Completions(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        var elastic = spec.Str("completionMode") == "Indexed" && was.Num("completions") is not null;
        if (!elastic || spec.Num("completions") is not { } now || now == was.Num("completions"))
            errors.Unchanged("spec.completions", spec["completions"], was["completions"]);
        else if (now != spec.Num("parallelism"))
            errors.Add(FieldError.Invalid("spec.completions", now, "can only be modified in tandem with spec.parallelism"));
    }

    // Where pods of a job run may be changed while it has not begun (KEP-2926).
    private static bool MayMove(JsonObject old) => Spec(old).Bool("suspend") && old.Obj("status")?["startTime"] is null;

    private static void Template(List<FieldError> errors, JsonObject spec, JsonObject was, bool mayMove)
    {
        if (JsonNode.DeepEquals(spec["template"], was["template"]))
            return;
        var (now, old) = ((JsonObject?)spec["template"]?.DeepClone(), (JsonObject?)was["template"]?.DeepClone());
        foreach (var template in mayMove ? new[] { now, old } : [])
        {
            template.Obj("metadata")?.Remove("labels");
            template.Obj("metadata")?.Remove("annotations");
            foreach (var field in new[] { "nodeSelector", "tolerations", "schedulingGates" })
                template.Obj("spec")?.Remove(field);
            template.Obj("spec", "affinity")?.Remove("nodeAffinity");
            if (template.Obj("spec", "affinity") is { Count: 0 })
                template.Obj("spec")!.Remove("affinity");
            foreach (var (_, container) in template.Obj("spec").Items("containers").Concat(template.Obj("spec").Items("initContainers")))
                container.Remove("resources"); // KEP-5440
        }

        if (!JsonNode.DeepEquals(now, old))
            errors.Add(FieldError.Invalid("spec.template", spec["template"], Check.Immutable));
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.Job(obj, old);
}
