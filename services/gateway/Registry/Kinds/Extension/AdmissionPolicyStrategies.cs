using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>ValidatingAdmissionPolicies: their structure (expressions are compiled where they are run).</summary>
internal sealed class AdmissionPolicyStrategy() : KindStrategy(Of("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies"), hasStatus: true, generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("failurePolicy", "Fail");
        MatchResources.Default(spec.Obj("matchConstraints"));
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        const string Something = "validations or auditAnnotations must contain at least one item";
        var spec = Spec(obj);
        if (spec.Has("failurePolicy"))
            errors.Supported("spec.failurePolicy", spec.Str("failurePolicy"), "Fail", "Ignore");
        if (spec.Obj("paramKind") is { } kind)
        {
            foreach (var field in new[] { "apiVersion", "kind" })
            {
                if (kind.Str(field).Length == 0)
                    errors.Add(FieldError.Required(new FieldPath("spec.paramKind").Child(field)));
            }
        }

        if (!spec.Has("matchConstraints"))
            errors.Add(FieldError.Required("spec.matchConstraints"));
        else
            MatchResources.Check(errors, "spec.matchConstraints", spec.Obj("matchConstraints"), required: true);
        RuleMatch.Conditions(errors, "spec.matchConditions", spec);
        if (!spec.Items("validations").Any() && !spec.Items("auditAnnotations").Any())
        {
            errors.Add(FieldError.Required("spec.validations", Something));
            errors.Add(FieldError.Required("spec.auditAnnotations", Something));
        }

        foreach (var (i, validation) in spec.Items("validations"))
            Validation(errors, new FieldPath("spec.validations").Index(i), validation);
        foreach (var (i, annotation) in spec.Items("auditAnnotations"))
        {
            var at = new FieldPath("spec.auditAnnotations").Index(i);
            if (annotation.Str("key").Length == 0)
                errors.Add(FieldError.Required(at.Child("key")));
            if (annotation.Str("valueExpression").Trim().Length == 0)
                errors.Add(FieldError.Required(at.Child("valueExpression"), "valueExpression is not specified"));
        }
    }

    private static void Validation(List<FieldError> errors, FieldPath at, JsonObject validation)
    {
        if (validation.Str("expression").Trim().Length == 0)
            errors.Add(FieldError.Required(at.Child("expression"), "expression is not specified"));
        if (validation.Str("message").Length > 0 && validation.Str("message").Trim().Length == 0)
            errors.Add(FieldError.Invalid(at.Child("message"), validation.Str("message"), "message must be non-empty if specified"));
        else if (validation.Str("message").Trim().Contains('\n'))
            errors.Add(FieldError.Invalid(at.Child("message"), validation.Str("message"), "message must not contain line breaks"));
        if (validation.Has("reason"))
            errors.Supported(at.Child("reason"), validation.Str("reason"), "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized");
    }
}

/// <summary>ValidatingAdmissionPolicyBindings.</summary>
internal sealed class AdmissionPolicyBindingStrategy() : KindStrategy(Of("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings"), generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => MatchResources.Default(obj.Obj("spec", "matchResources"));

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var policy = spec.Str("policyName");
        if (policy.Length == 0)
            errors.Add(FieldError.Required("spec.policyName"));
        else
            errors.Rules("spec.policyName", policy, Names.Dns1123Subdomain(policy));
        if (spec.Obj("paramRef") is { } reference)
        {
            if (reference.Has("name") && reference.Has("selector"))
                errors.Add(FieldError.Forbidden("spec.paramRef.name", "name and selector are mutually exclusive"));
            else if (!reference.Has("name") && !reference.Has("selector"))
                errors.Add(FieldError.Required("spec.paramRef", "one of name or selector must be specified"));
            if (!reference.Has("parameterNotFoundAction"))
                errors.Add(FieldError.Required("spec.paramRef.parameterNotFoundAction"));
            else
                errors.Supported("spec.paramRef.parameterNotFoundAction", reference.Str("parameterNotFoundAction"), "Deny", "Allow");
        }

        MatchResources.Check(errors, "spec.matchResources", spec.Obj("matchResources"), required: false);
        Actions(errors, "spec.validationActions", spec.Strings("validationActions"));
    }

    private static void Actions(List<FieldError> errors, FieldPath path, List<string> actions)
    {
        if (actions.Count == 0)
            errors.Add(FieldError.Required(path, "at least one validation action is required"));
        for (var i = 0; i < actions.Count; i++)
        {
            errors.Supported(path.Index(i), actions[i], "Audit", "Deny", "Warn");
            if (actions.IndexOf(actions[i]) < i)
                errors.Add(FieldError.Duplicate(path.Index(i), actions[i]));
        }

        if (actions.Contains("Deny") && actions.Contains("Warn"))
        {
            errors.Add(FieldError.Invalid(
                path, actions, "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"));
        }
    }
}

/// <summary>MatchResources: what a policy is about.</summary>
internal static class MatchResources
{
    public static void Default(JsonObject? match)
    {
        if (match is null)
            return;
        match.Ensure("namespaceSelector");
        match.Ensure("objectSelector");
        match.Default("matchPolicy", "Equivalent");
        RuleMatch.Default(match, "resourceRules");
        RuleMatch.Default(match, "excludeResourceRules");
    }

    public static void Check(List<FieldError> errors, FieldPath at, JsonObject? match, bool required)
    {
        if (match is null)
            return;
        if (required && !match.Items("resourceRules").Any())
            errors.Add(FieldError.Required(at.Child("resourceRules")));
        if (match.Has("matchPolicy"))
            errors.Supported(at.Child("matchPolicy"), match.Str("matchPolicy"), "Equivalent", "Exact");
        errors.LabelSelector(at.Child("namespaceSelector"), match.Obj("namespaceSelector"));
        errors.LabelSelector(at.Child("objectSelector"), match.Obj("objectSelector"));
        RuleMatch.Rules(errors, at, match, "resourceRules");
        RuleMatch.Rules(errors, at, match, "excludeResourceRules");
    }
}
