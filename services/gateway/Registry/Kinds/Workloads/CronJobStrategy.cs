using System.Text.Json.Nodes;
using Mesh.Api;

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
        if (obj.Name().Length > NameMaxLength)
            errors.Add(FieldError.Invalid("metadata.name", obj.Name(), $"must be no more than {NameMaxLength} characters"));
        var schedule = spec.Str("schedule");
        if (schedule.Length == 0)
            errors.Add(FieldError.Required("spec.schedule"));
        else if (CronSchedule.Error(schedule) is { } wrong)
            errors.Add(FieldError.Invalid("spec.schedule", schedule, wrong));
        if (schedule.Contains("TZ", StringComparison.Ordinal))
            errors.Add(FieldError.Invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
        if (spec.Has("timeZone") && spec.Str("timeZone") is var zone && (zone.Length == 0 || zone.Equals("local", StringComparison.OrdinalIgnoreCase) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)))
            errors.Add(FieldError.Invalid("spec.timeZone", zone, zone.Length == 0 ? "timeZone must be nil or non-empty string" : "unknown time zone " + zone));
        errors.NonNegative("spec.startingDeadlineSeconds", spec.Num("startingDeadlineSeconds"));
        errors.OneOf("spec.concurrencyPolicy", spec.Str("concurrencyPolicy"), "Allow", "Forbid", "Replace");
        errors.NonNegative("spec.successfulJobsHistoryLimit", spec.Num("successfulJobsHistoryLimit"));
        errors.NonNegative("spec.failedJobsHistoryLimit", spec.Num("failedJobsHistoryLimit"));
        var job = spec.Obj("jobTemplate").Obj("spec");
        if (job is null)
            errors.Add(FieldError.Required("spec.jobTemplate"));
        else
            JobStrategy.ValidateSpec(errors, "spec.jobTemplate.spec", job);
        if (job.Bool("manualSelector"))
            errors.Add(FieldError.NotSupported("spec.jobTemplate.spec.manualSelector", "true", "nil", "false"));
    }

    // A template keeps what the job will get itself when it is made.
    private static void JobDefaults(JsonObject spec) => Pods.PodDefaults.Template(spec.Obj("template"));
}
