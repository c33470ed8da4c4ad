using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>MatchResources: what a policy is about.</summary>
internal static class MatchResources
{
    public static void Default(JsonObject? match)
    {
        if (match is null)
            return;
        match.Ensure("namespaceSelector");
        match.Ensure("objectSelector");
        match.DefaultAbsent("matchPolicy", "Equivalent");
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
        errors.LabelSelector(at.Child("namespaceSelector"), match.Obj("namespaceSelector"), valueRule: null);
        errors.LabelSelector(at.Child("objectSelector"), match.Obj("objectSelector"), valueRule: null);
        RuleMatch.Rules(errors, at, match, "resourceRules");
        RuleMatch.Rules(errors, at, match, "excludeResourceRules");
    }
}
