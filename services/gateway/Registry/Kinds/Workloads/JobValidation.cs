using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Rules of a job's spec, alone and in a cron job: numbers, completion mode, what failures and successes mean.</summary>
internal static class JobValidation
{
    private const int MaxIndexesText = 64 * 1024;
    private const int MaxIndexedParallelism = 100_000;
    private const int ManyCompletions = 100_000;
    private const int LimitForMany = 10_000;
    private const int MaxRules = 20;
    private const int MaxExitCodes = 255;
    private static readonly string[] Numbers = ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex"];
    private static readonly string[] Actions = ["Count", "FailIndex", "FailJob", "Ignore"];

    public static void Spec(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var field in Numbers)
        {
            if (spec.Num(field) < 0)
                errors.NonNegative(path.Child(field), spec.Num(field));
        }

        if (spec.Num("maxFailedIndexes") is { } failed)
        {
            errors.NonNegative(path.Child("maxFailedIndexes"), failed);
            if (!spec.Has("backoffLimitPerIndex"))
                errors.Add(FieldError.Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
        }

        if (spec.Has("managedBy"))
            ManagedBy(errors, path.Child("managedBy"), spec.Str("managedBy"));
        CompletionMode(errors, path, spec);
        if (spec.Obj("podFailurePolicy") is { } policy)
            FailurePolicy(errors, path.Child("podFailurePolicy", "rules"), policy, spec);
        if (spec.Obj("successPolicy") is { } success)
            SuccessPolicy(errors, path.Child("successPolicy"), success, spec);
        if (spec.Has("podReplacementPolicy"))
        {
            if (spec.Has("podFailurePolicy"))
                errors.Supported(path.Child("podReplacementPolicy"), spec.Str("podReplacementPolicy"), "Failed");
            else
                errors.Supported(path.Child("podReplacementPolicy"), spec.Str("podReplacementPolicy"), "Failed", "TerminatingOrFailed");
        }

        PodSpecValidation.Template(errors, path.Child("template"), spec.Obj("template") ?? []);
        RestartPolicy(errors, path.Child("template", "spec").Child("restartPolicy"), spec);
    }

    private static void RestartPolicy(List<FieldError> errors, FieldPath at, JsonObject spec)
    {
        var policy = spec.Obj("template", "spec").Str("restartPolicy");
        if (policy is "Always" or "")
            errors.Add(FieldError.Required(at, "valid values: \"OnFailure\", \"Never\""));
        else if (policy is not ("OnFailure" or "Never"))
            errors.Add(FieldError.NotSupported(at, policy, "OnFailure", "Never"));
        else if (spec.Has("podFailurePolicy") && policy != "Never")
            errors.Add(FieldError.Invalid(at, policy, "only \"Never\" is supported when podFailurePolicy is specified"));
    }

    private static void ManagedBy(List<FieldError> errors, FieldPath at, string manager)
    {
        DomainPrefixedPath(errors, at, manager);
        if (manager.Length > Names.LabelMaxLength)
            errors.Add(FieldError.TooLong(at, Names.LabelMaxLength));
    }

    /// <summary>A path behind a domain: example.com/controller.</summary>
    public static void DomainPrefixedPath(List<FieldError> errors, FieldPath at, string value)
    {
        var slash = value.IndexOf('/');
        if (value.Length == 0)
            errors.Add(FieldError.Required(at));
        else if (slash <= 0 || slash == value.Length - 1)
            errors.Add(FieldError.Invalid(at, value, "must be a domain-prefixed path (such as \"acme.io/foo\")"));
        else
        {
            foreach (var rule in Names.Dns1123Subdomain(value[..slash]))
                errors.Add(FieldError.Invalid(at, value[..slash], rule));
            if (!value.AsSpan(slash + 1).ContainsAnyExcept(PathLetters))
                return;
            errors.Add(FieldError.Invalid(at, value[(slash + 1)..], Names.RegexError("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+")));
        }
    }

    private static readonly System.Buffers.SearchValues<char> PathLetters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:");

    private static void CompletionMode(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var mode = spec.Str("completionMode");
        if (spec.Has("completionMode"))
            errors.Supported(path.Child("completionMode"), mode, "NonIndexed", "Indexed");
        if (mode == "Indexed")
        {
            Indexed(errors, path, spec);
            return;
        }

        if (mode is not ("NonIndexed" or ""))
            return;
        foreach (var field in new[] { "backoffLimitPerIndex", "maxFailedIndexes" })
        {
            if (spec.Num(field) is { } number)
                errors.Add(FieldError.Invalid(path.Child(field), number, "requires indexed completion mode"));
        }
    }

    private static void Indexed(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var (completions, parallelism, failed) = (spec.Num("completions"), spec.Num("parallelism"), spec.Num("maxFailedIndexes"));
        if (completions is null)
            errors.Add(FieldError.Required(path.Child("completions"), "when completion mode is Indexed"));
        if (parallelism > MaxIndexedParallelism)
            errors.Add(FieldError.Invalid(path.Child("parallelism"), parallelism, $"must be less than or equal to {MaxIndexedParallelism} when completion mode is Indexed"));
        if (failed > completions)
            errors.Add(FieldError.Invalid(path.Child("maxFailedIndexes"), failed, "must be less than or equal to completions"));
        if (failed > MaxIndexedParallelism)
            errors.Add(FieldError.Invalid(path.Child("maxFailedIndexes"), failed, $"must be less than or equal to {MaxIndexedParallelism}"));
        if (!(completions > ManyCompletions) || !spec.Has("backoffLimitPerIndex"))
            return;
        var rule = $"must be less than or equal to {LimitForMany} when completions are above {ManyCompletions} and used with backoff limit per index";
        if (failed is null)
            errors.Add(FieldError.Required(path.Child("maxFailedIndexes"), $"must be specified when completions is above {ManyCompletions}"));
        if (parallelism > LimitForMany)
            errors.Add(FieldError.Invalid(path.Child("parallelism"), parallelism, rule));
        if (failed > LimitForMany)
            errors.Add(FieldError.Invalid(path.Child("maxFailedIndexes"), failed, rule));
    }

    private static void FailurePolicy(List<FieldError> errors, FieldPath path, JsonObject policy, JsonObject spec)
    {
        var rules = policy.Items("rules").ToList();
        if (rules.Count > MaxRules)
            errors.Add(FieldError.TooMany(path, rules.Count, MaxRules));
        foreach (var (i, rule) in rules)
        {
            var at = path.Index(i);
            var action = rule.Str("action");
            if (action.Length == 0)
                errors.Add(FieldError.Required(at.Child("action"), "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"));
            else if (action == "FailIndex" && !spec.Has("backoffLimitPerIndex"))
                errors.Add(FieldError.Invalid(at.Child("action"), action, "requires the backoffLimitPerIndex to be set"));
            else
                errors.Supported(at.Child("action"), action, Actions);
            if (rule.Obj("onExitCodes") is { } codes)
                ExitCodes(errors, at.Child("onExitCodes"), codes, spec.Obj("template", "spec"));
            var conditions = rule.Items("onPodConditions").ToList();
            Conditions(errors, at.Child("onPodConditions"), conditions);
            if (rule.Has("onExitCodes") && conditions.Count > 0)
                errors.Add(FieldError.InvalidUnshown(at, "specifying both OnExitCodes and OnPodConditions is not supported"));
            if (!rule.Has("onExitCodes") && conditions.Count == 0)
                errors.Add(FieldError.InvalidUnshown(at, "specifying one of OnExitCodes and OnPodConditions is required"));
        }
    }

    private static void Conditions(List<FieldError> errors, FieldPath path, List<(int Index, JsonObject Item)> conditions)
    {
        if (conditions.Count > MaxRules)
            errors.Add(FieldError.TooMany(path, conditions.Count, MaxRules));
        foreach (var (c, condition) in conditions)
        {
            errors.Rules(path.Index(c).Child("type"), condition.Str("type"), Names.QualifiedName(condition.Str("type")));
            if (condition.Str("status").Length == 0)
                errors.Add(FieldError.Required(path.Index(c).Child("status"), "valid values: [\"False\" \"True\" \"Unknown\"]"));
            else
                errors.Supported(path.Index(c).Child("status"), condition.Str("status"), "False", "True", "Unknown");
        }
    }

    private static void ExitCodes(List<FieldError> errors, FieldPath at, JsonObject codes, JsonObject? pod)
    {
        var op = codes.Str("operator");
        if (op.Length == 0)
            errors.Add(FieldError.Required(at.Child("operator"), "valid values: [\"In\" \"NotIn\"]"));
        else
            errors.Supported(at.Child("operator"), op, "In", "NotIn");
        if (codes.Has("containerName") && !pod.Items("containers").Concat(pod.Items("initContainers")).Any(c => c.Item.Str("name") == codes.Str("containerName")))
            errors.Add(FieldError.Invalid(at.Child("containerName"), codes.Str("containerName"), "must be one of the container or initContainer names in the pod template"));
        var path = at.Child("values");
        var values = codes.Arr("values")?.Select(static v => JsonAccess.Num(v) ?? 0).ToList() ?? [];
        if (values.Count == 0)
            errors.Add(FieldError.Invalid(path, codes["values"], "at least one value is required"));
        else if (values.Count > MaxExitCodes)
            errors.Add(FieldError.TooMany(path, values.Count, MaxExitCodes));
        for (var i = 0; i < values.Count; i++)
        {
            if (op == "In" && values[i] == 0)
                errors.Add(FieldError.Invalid(path.Index(i), values[i], "must not be 0 for the In operator"));
            if (values.IndexOf(values[i]) < i)
                errors.Add(FieldError.Duplicate(path.Index(i), values[i]));
        }

        if (values.Zip(values.Skip(1)).Any(static pair => pair.First > pair.Second))
            errors.Add(FieldError.Invalid(path, codes["values"], "must be ordered"));
    }

    // KEP-3998: an indexed job that has succeeded before all of its indexes are done.
    private static void SuccessPolicy(List<FieldError> errors, FieldPath path, JsonObject policy, JsonObject spec)
    {
        if (spec.Str("completionMode") != "Indexed")
        {
            errors.Add(FieldError.Invalid(path, policy, "requires indexed completion mode"));
            return;
        }

        var rules = policy.Items("rules").ToList();
        if (rules.Count == 0)
            errors.Add(FieldError.Required(path.Child("rules"), "at least one rules must be specified when the successPolicy is specified"));
        if (rules.Count > MaxRules)
            errors.Add(FieldError.TooMany(path.Child("rules"), rules.Count, MaxRules));
        foreach (var (i, rule) in rules)
        {
            var at = path.Child("rules").Index(i);
            var indexes = SucceededIndexes(errors, at, rule, spec);
            var (count, countPath) = (rule.Num("succeededCount"), at.Child("succeededCount"));
            errors.NonNegative(countPath, count);
            if (count > spec.Num("completions"))
                errors.Add(FieldError.Invalid(countPath, count, $"must be less than or equal to {spec.Num("completions")} (the number of specified completions)"));
            if (rule.Has("succeededIndexes") && count > indexes)
                errors.Add(FieldError.Invalid(countPath, count, $"must be less than or equal to {indexes} (the number of indexes in the specified succeededIndexes field)"));
        }
    }

    /// <summary>How many indexes a rule names; 0 when they cannot be read.</summary>
    private static int SucceededIndexes(List<FieldError> errors, FieldPath at, JsonObject rule, JsonObject spec)
    {
        if (!rule.Has("succeededIndexes"))
        {
            if (!rule.Has("succeededCount"))
                errors.Add(FieldError.Required(at, "at least one of succeededCount or succeededIndexes must be specified"));
            return 0;
        }

        var (path, text) = (at.Child("succeededIndexes"), rule.Str("succeededIndexes"));
        if (text.Length > MaxIndexesText)
            errors.Add(FieldError.TooLong(path, MaxIndexesText));
        var (count, problem) = IndexIntervals.Count(text, spec.Num("completions") ?? 0);
        if (problem is null)
            return count;
        errors.Add(FieldError.Invalid(path, text, $"error parsing succeededIndexes: {problem}"));
        return 0;
    }
}
