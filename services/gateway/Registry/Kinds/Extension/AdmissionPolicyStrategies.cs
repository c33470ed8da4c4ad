using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>ValidatingAdmissionPolicies: their structure (expressions are compiled where they are run).</summary>
internal sealed class AdmissionPolicyStrategy() : KindStrategy(Of("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies"), hasStatus: true, generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => PolicyParts.Default(obj);

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        const string Something = "validations or auditAnnotations must contain at least one item";
        var spec = Spec(obj);
        PolicyParts.Check(errors, spec);
        if (!spec.Items("validations").Any() && !spec.Items("auditAnnotations").Any())
        {
            errors.Add(FieldError.Required("spec.validations", Something));
            errors.Add(FieldError.Required("spec.auditAnnotations", Something));
        }

        foreach (var (i, validation) in spec.Items("validations"))
            Validation(errors, new FieldPath("spec.validations").Index(i), validation);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, annotation) in spec.Items("auditAnnotations"))
        {
            var at = new FieldPath("spec.auditAnnotations").Index(i);
            Annotation(errors, at, annotation, ObjectMetaRules.Text(obj, "name"));
            if (annotation.Str("key") is { Length: > 0 } key && !keys.Add(key))
                errors.Add(FieldError.Duplicate(at.Child("key"), key));
        }
    }

    // The keys of a policy's annotations are written behind its name.
    private static void Annotation(List<FieldError> errors, FieldPath at, JsonObject annotation, string policy)
    {
        var key = annotation.Str("key");
        if (key.Length == 0)
            errors.Add(FieldError.Required(at.Child("key")));
        else if (policy.Length > 0)
            errors.Rules(at.Child("key"), key, Names.QualifiedName(policy + "/" + key));
        if (annotation.Str("valueExpression").Trim().Length == 0)
            errors.Add(FieldError.Required(at.Child("valueExpression"), "valueExpression is not specified"));
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
        PolicyParts.CheckBinding(errors, spec);
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
