using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

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
        if (!spec.Bool("manualSelector"))
            spec.Remove("manualSelector");
        if (spec.Has("backoffLimitPerIndex"))
            spec.Default("backoffLimit", int.MaxValue);
        spec.Default("backoffLimit", 6);
        if (job is not null && (job.Obj("metadata", "labels")?.Count ?? 0) == 0 && spec.Obj("template").Obj("metadata", "labels") is { Count: > 0 } labels)
            job.Ensure("metadata")["labels"] = labels.DeepClone();
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
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        ValidateSpec(errors, "spec", spec);
        if (!spec.Has("selector"))
            errors.Add(FieldError.Required("spec.selector"));
        else
            errors.LabelSelector("spec.selector", spec.Obj("selector"));
        if (spec.Has("selector") && !Workload.SelectorFits(spec))
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", spec.Obj("template").Obj("metadata", "labels") ?? [], "`selector` does not match template `labels`"));
    }

    /// <summary>Rules of a job's spec, alone and in a cron job.</summary>
    public static void ValidateSpec(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var field in new[] { "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes" })
            errors.NonNegative(path.Child(field), spec.Num(field));
        errors.OptionalOneOf(path.Child("completionMode"), spec.Str("completionMode"), "Indexed", "NonIndexed");
        if (spec.Str("completionMode") == "Indexed" && !spec.Has("completions"))
            errors.Add(FieldError.Required(path.Child("completions"), "when completion mode is Indexed"));
        errors.OptionalOneOf(path.Child("podReplacementPolicy"), spec.Str("podReplacementPolicy"), "Failed", "TerminatingOrFailed");
        if (spec.Obj("template") is not { } template)
        {
            errors.Add(FieldError.Required(path.Child("template")));
            return;
        }

        var before = errors.Count;
        PodSpecValidation.Template(errors, path.Child("template"), template);
        var policy = template.Obj("spec").Str("restartPolicy");
        if (policy == "Always")
            errors.Add(FieldError.Required(path.Child("template", "spec").Child("restartPolicy"), "valid values: \"OnFailure\", \"Never\""));
        else if (policy is not ("OnFailure" or "Never") && errors.Count == before)
            errors.Add(FieldError.NotSupported(path.Child("template", "spec").Child("restartPolicy"), policy, "OnFailure", "Never"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        if (!(spec.Str("completionMode") == "Indexed" && JsonNode.DeepEquals(spec["completions"], spec["parallelism"])))
            errors.Unchanged("spec.completions", spec["completions"], was["completions"]);
        errors.Unchanged("spec.selector", spec["selector"], was["selector"]);
        errors.Unchanged("spec.completionMode", spec["completionMode"], was["completionMode"]);
        errors.Unchanged("spec.podFailurePolicy", spec["podFailurePolicy"], was["podFailurePolicy"]);
        errors.Unchanged("spec.backoffLimitPerIndex", spec["backoffLimitPerIndex"], was["backoffLimitPerIndex"]);
        if (!was.Bool("suspend"))
            errors.Unchanged("spec.template", spec["template"], was["template"]);
    }
}
