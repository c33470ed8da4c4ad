using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>MutatingAdmissionPolicies: their structure (expressions are compiled where they are run).</summary>
internal sealed class MutatingPolicyStrategy(string version) : KindStrategy(Of("admissionregistration.k8s.io", version, "mutatingadmissionpolicies"), generation: true)
{
    private static readonly (string Type, string Field)[] Patches = [("ApplyConfiguration", "applyConfiguration"), ("JSONPatch", "jsonPatch")];

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => PolicyParts.Default(obj);

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        PolicyParts.Check(errors, spec);
        if (!spec.Items("mutations").Any())
            errors.Add(FieldError.Required("spec.mutations", "mutations must contain at least one item"));
        foreach (var (i, mutation) in spec.Items("mutations"))
            Mutation(errors, new FieldPath("spec.mutations").Index(i), mutation);
        if (spec.Str("reinvocationPolicy").Length == 0)
            errors.Add(FieldError.Required("spec.reinvocationPolicy"));
        else
            errors.Supported("spec.reinvocationPolicy", spec.Str("reinvocationPolicy"), "IfNeeded", "Never");
    }

    private static void Mutation(List<FieldError> errors, FieldPath at, JsonObject mutation)
    {
        var type = mutation.Str("patchType");
        if (type.Length == 0)
            errors.Add(FieldError.Required(at.Child("patchType")));
        else
            errors.Supported(at.Child("patchType"), type, "ApplyConfiguration", "JSONPatch");
        foreach (var (name, field) in Patches)
        {
            if (type == name && !mutation.Has(field))
                errors.Add(FieldError.Required(at.Child(field), "must be specified when patchType is " + name));
            else if (type == name && mutation.Obj(field).Str("expression").Trim().Length == 0)
                errors.Add(FieldError.Required(at.Child(field).Child("expression"), "expression is not specified"));
            else if (type != name && mutation.Has(field))
                errors.Add(FieldError.Forbidden(at.Child(field), "must not be specified when patchType is not " + name));
        }
    }
}

/// <summary>MutatingAdmissionPolicyBindings.</summary>
internal sealed class MutatingPolicyBindingStrategy(string version) : KindStrategy(Of("admissionregistration.k8s.io", version, "mutatingadmissionpolicybindings"), generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => MatchResources.Default(obj.Obj("spec", "matchResources"));

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => PolicyParts.CheckBinding(errors, Spec(obj));
}
