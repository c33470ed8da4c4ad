using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>What validating and mutating admission policies have in common, and their bindings.</summary>
internal static class PolicyParts
{
    public static void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.DefaultAbsent("failurePolicy", "Fail");
        MatchResources.Default(spec.Obj("matchConstraints"));
    }

    public static void Check(List<FieldError> errors, JsonObject? spec)
    {
        if (spec.Has("failurePolicy"))
            errors.Supported("spec.failurePolicy", spec.Str("failurePolicy"), "Fail", "Ignore");
        if (spec.Obj("paramKind") is { } kind)
            ParamKind(errors, "spec.paramKind", kind);
        if (!spec.Has("matchConstraints"))
            errors.Add(FieldError.Required("spec.matchConstraints"));
        else
            MatchResources.Check(errors, "spec.matchConstraints", spec.Obj("matchConstraints"), required: true);
        RuleMatch.Conditions(errors, "spec.matchConditions", spec);
        foreach (var (i, variable) in spec.Items("variables"))
            Variable(errors, new FieldPath("spec.variables").Index(i), variable);
    }

    public static void CheckBinding(List<FieldError> errors, JsonObject? spec)
    {
        var policy = spec.Str("policyName");
        if (policy.Length == 0)
            errors.Add(FieldError.Required("spec.policyName"));
        else
            errors.Rules("spec.policyName", policy, Names.Dns1123Subdomain(policy));
        if (spec.Obj("paramRef") is { } reference)
            ParamRef(errors, "spec.paramRef", reference);
        MatchResources.Check(errors, "spec.matchResources", spec.Obj("matchResources"), required: false);
    }

    private static void ParamKind(List<FieldError> errors, FieldPath at, JsonObject param)
    {
        var (version, kind) = (param.Str("apiVersion"), param.Str("kind"));
        if (version.Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("apiVersion")));
        }
        else if (version.Split('/') is var pieces && pieces.Length > 2)
        {
            errors.Add(FieldError.Invalid(at.Child("apiVersion"), version, "unexpected GroupVersion string: " + version));
        }
        else
        {
            if (pieces.Length == 2 && pieces[0].Length > 0)
                One(errors, at.Child("apiVersion"), pieces[0], Names.Dns1123Subdomain(pieces[0]));
            One(errors, at.Child("apiVersion"), pieces[^1], Names.Dns1035Label(pieces[^1]));
        }

        if (kind.Length == 0)
            errors.Add(FieldError.Required(at.Child("kind")));
        else
            One(errors, at.Child("kind"), kind, Names.Dns1035Label(kind.ToLowerInvariant()), "may have mixed case, but should otherwise match: ");
    }

    private static void One(List<FieldError> errors, FieldPath at, string value, IReadOnlyList<string> broken, string before = "")
    {
        if (broken.Count > 0)
            errors.Add(FieldError.Invalid(at, value, before + string.Join(",", broken)));
    }

    private static void ParamRef(List<FieldError> errors, FieldPath at, JsonObject reference)
    {
        if (reference.Has("name") && reference.Has("selector"))
            errors.Add(FieldError.Forbidden(at.Child("name"), "name and selector are mutually exclusive"));
        else if (!reference.Has("name") && !reference.Has("selector"))
            errors.Add(FieldError.Required(at, "one of name or selector must be specified"));
        if (!reference.Has("parameterNotFoundAction"))
            errors.Add(FieldError.Required(at.Child("parameterNotFoundAction")));
        else
            errors.Supported(at.Child("parameterNotFoundAction"), reference.Str("parameterNotFoundAction"), "Deny", "Allow");
    }

    private static void Variable(List<FieldError> errors, FieldPath at, JsonObject variable)
    {
        var name = variable.Str("name");
        if (name.Trim().Length == 0)
            errors.Add(FieldError.Required(at.Child("name"), "name is not specified"));
        else if (!IsIdentifier(name))
            errors.Add(FieldError.Invalid(at.Child("name"), name, "name is not a valid CEL identifier"));
        if (variable.Str("expression").Trim().Length == 0)
            errors.Add(FieldError.Required(at.Child("expression"), "expression is not specified"));
    }

    private static bool IsIdentifier(string name) => !char.IsAsciiDigit(name[0]) && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
