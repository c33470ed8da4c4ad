using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>ValidatingWebhookConfigurations and MutatingWebhookConfigurations.</summary>
internal sealed class WebhookStrategy(string plural, bool mutating) : KindStrategy(Of("admissionregistration.k8s.io", "v1", plural), generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        foreach (var (_, hook) in obj.Items("webhooks"))
        {
            hook.DefaultAbsent("failurePolicy", "Fail");
            hook.DefaultAbsent("matchPolicy", "Equivalent");
            hook.Ensure("namespaceSelector");
            hook.Ensure("objectSelector");
            hook.Default("timeoutSeconds", 10);
            if (mutating)
                hook.DefaultAbsent("reinvocationPolicy", "Never");
            RuleMatch.Default(hook, "rules");
            WebhookClients.Default(hook.Obj("clientConfig"));
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, hook) in obj.Items("webhooks"))
        {
            var at = new FieldPath("webhooks").Index(i);
            Hook(errors, at, hook);
            Versions(errors, at.Child("admissionReviewVersions"), hook.Strings("admissionReviewVersions"));
            if (hook.Str("name").Length > 0 && !names.Add(hook.Str("name")))
                errors.Add(FieldError.Duplicate(at.Child("name"), hook.Str("name")) with { Rule = Ratchet.WebhookNames });
        }
    }

    private void Hook(List<FieldError> errors, FieldPath at, JsonObject hook)
    {
        QualifiedName(errors, at.Child("name"), hook.Str("name"));
        RuleMatch.Rules(errors, at, hook, "rules");
        if (hook.Has("failurePolicy"))
            errors.Supported(at.Child("failurePolicy"), hook.Str("failurePolicy"), "Fail", "Ignore");
        if (hook.Has("matchPolicy"))
            errors.Supported(at.Child("matchPolicy"), hook.Str("matchPolicy"), "Equivalent", "Exact");
        var before = errors.Count;
        if (!hook.Has("sideEffects"))
            errors.Add(FieldError.Required(at.Child("sideEffects"), "must specify one of None, NoneOnDryRun"));
        else
            errors.Supported(at.Child("sideEffects"), hook.Str("sideEffects"), "None", "NoneOnDryRun");
        if (hook.Str("sideEffects") is "" or "Some" or "Unknown")
            errors.Name(before, Ratchet.SideEffects); // what the beta version took
        if (hook.Num("timeoutSeconds") is { } seconds and (< 1 or > 30))
            errors.Add(FieldError.Invalid(at.Child("timeoutSeconds"), seconds, "the timeout value must be between 1 and 30 seconds"));
        errors.LabelSelector(at.Child("namespaceSelector"), hook.Obj("namespaceSelector"));
        errors.LabelSelector(at.Child("objectSelector"), hook.Obj("objectSelector"));
        if (mutating && hook.Has("reinvocationPolicy"))
            errors.Supported(at.Child("reinvocationPolicy"), hook.Str("reinvocationPolicy"), "IfNeeded", "Never");
        WebhookClients.Check(errors, at.Child("clientConfig"), hook.Obj("clientConfig"));
        RuleMatch.Conditions(errors, at.Child("matchConditions"), hook);
    }

    private static void QualifiedName(List<FieldError> errors, FieldPath at, string name)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required(at));
            return;
        }

        var broken = Names.Dns1123Subdomain(name);
        errors.Rules(at, name, broken);
        if (broken.Count == 0 && name.Split('.').Length < 3)
            errors.Add(FieldError.Invalid(at, name, "should be a domain with at least three segments separated by dots"));
    }

    private static void Versions(List<FieldError> errors, FieldPath at, List<string> versions)
    {
        if (versions.Count == 0)
        {
            errors.Add(FieldError.Required(at, "must specify one of v1, v1beta1"));
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < versions.Count; i++)
        {
            if (!seen.Add(versions[i]))
                errors.Add(FieldError.Invalid(at.Index(i), versions[i], "duplicate version"));
            errors.Rules(at.Index(i), versions[i], Names.Dns1035Label(versions[i]));
        }

        if (!seen.Contains("v1") && !seen.Contains("v1beta1"))
            errors.Add(FieldError.Invalid(at, versions, "must include at least one of v1, v1beta1") with { Rule = Ratchet.ReviewVersions });
    }
}
