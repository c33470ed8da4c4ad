using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>CronJobs.</summary>
internal sealed class CronJobStrategy() : KindStrategy(Of("batch", "v1", "cronjobs"), hasStatus: true, generation: true)
{
    private const int NameMaxLength = 52; // the job's name adds eleven characters

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("concurrencyPolicy", "Allow");
        spec.Default("suspend", false);
        spec.Default("successfulJobsHistoryLimit", 3);
        spec.Default("failedJobsHistoryLimit", 1);
        if (spec.Obj("jobTemplate") is { } template)
        {
            template.Ensure("metadata");
            JobDefaults(template.Ensure("spec"));
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var schedule = spec.Str("schedule");
        if (schedule.Length == 0)
            errors.Add(FieldError.Required("spec.schedule"));
        else if (CronSchedule.Error(schedule) is { } wrong)
            errors.Add(FieldError.Invalid("spec.schedule", schedule, wrong));
        errors.NonNegative("spec.startingDeadlineSeconds", spec.Num("startingDeadlineSeconds"));
        errors.OneOf("spec.concurrencyPolicy", spec.Str("concurrencyPolicy"), "Allow", "Forbid", "Replace");
        var job = spec.Obj("jobTemplate").Obj("spec") ?? [];
        JobValidation.Spec(errors, "spec.jobTemplate.spec", job);
        if (job.Has("selector"))
            errors.Add(FieldError.Invalid("spec.jobTemplate.spec.selector", job["selector"], "`selector` will be auto-generated"));
        if (job.Bool("manualSelector"))
            errors.Add(FieldError.NotSupported("spec.jobTemplate.spec.manualSelector", true, "nil", "false"));
        errors.NonNegative("spec.successfulJobsHistoryLimit", spec.Num("successfulJobsHistoryLimit"));
        errors.NonNegative("spec.failedJobsHistoryLimit", spec.Num("failedJobsHistoryLimit"));
    }

    /// <inheritdoc/>
    public override void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if (spec.Str("schedule").Contains("TZ", StringComparison.Ordinal))
            errors.Add(FieldError.Invalid("spec.schedule", spec.Str("schedule"), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
        TimeZone(errors, spec);
        if (obj.Name().Length > NameMaxLength)
            errors.Add(FieldError.Invalid("metadata.name", obj.Name(), $"must be no more than {NameMaxLength} characters"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        // What was accepted once stays acceptable.
        var (spec, was) = (Spec(obj), Spec(old));
        if (spec.Str("schedule").Contains("TZ", StringComparison.Ordinal))
        {
            if (!was.Str("schedule").Contains("TZ", StringComparison.Ordinal))
                errors.Add(FieldError.Invalid("spec.schedule", spec.Str("schedule"), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
            else if (spec.Has("timeZone"))
                errors.Add(FieldError.Invalid("spec.schedule", spec.Str("schedule"), "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
        }

        if (!JsonNode.DeepEquals(spec["timeZone"], was["timeZone"]))
            TimeZone(errors, spec);
    }

    private static void TimeZone(List<FieldError> errors, JsonObject spec)
    {
        if (!spec.Has("timeZone"))
            return;
        var zone = spec.Str("timeZone");
        if (zone.Length == 0)
            errors.Add(FieldError.Invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"));
        else if (zone.Equals("local", StringComparison.OrdinalIgnoreCase))
            errors.Add(FieldError.Invalid("spec.timeZone", zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
        else if (zone.Split('/').Any(static p => p is "" or "." or ".." || p.StartsWith('-')) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
            errors.Add(FieldError.Invalid("spec.timeZone", zone, "unknown time zone " + zone));
    }

    // A template keeps what the job will get itself when it is made.
    private static void JobDefaults(JsonObject spec) => Pods.PodDefaults.Template(spec.Obj("template"));

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.CronJob(obj, old);
}
