using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Roles and ClusterRoles.</summary>
internal sealed class RoleStrategy(string plural, bool namespaced) : KindStrategy(Of("rbac.authorization.k8s.io", "v1", plural), names: NameRule.PathSegment)
{
    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        foreach (var (i, rule) in obj.Items("rules"))
        {
            var at = new FieldPath("rules").Index(i);
            if (rule.Strings("verbs").Count == 0)
                errors.Add(FieldError.Required(at.Child("verbs"), "verbs must contain at least one value"));
            if (rule.Strings("nonResourceURLs").Count > 0)
            {
                if (namespaced)
                    errors.Add(FieldError.Invalid(at.Child("nonResourceURLs"), rule.Strings("nonResourceURLs"), "namespaced rules cannot apply to non-resource URLs"));
                if (rule.Strings("apiGroups").Count > 0 || rule.Strings("resources").Count > 0 || rule.Strings("resourceNames").Count > 0)
                    errors.Add(FieldError.Invalid(at.Child("nonResourceURLs"), rule.Strings("nonResourceURLs"), "rules cannot apply to both regular resources and non-resource URLs"));
                continue;
            }

            if (rule.Strings("apiGroups").Count == 0)
                errors.Add(FieldError.Required(at.Child("apiGroups"), "resource rules must supply at least one api group"));
            if (rule.Strings("resources").Count == 0)
                errors.Add(FieldError.Required(at.Child("resources"), "resource rules must supply at least one resource"));
        }

        if (obj.Has("aggregationRule") && !obj.Obj("aggregationRule").Items("clusterRoleSelectors").Any())
            errors.Add(FieldError.Required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil"));
        foreach (var (i, selector) in obj.Obj("aggregationRule").Items("clusterRoleSelectors"))
            errors.LabelSelector(new FieldPath("aggregationRule.clusterRoleSelectors").Index(i), selector);
    }
}

/// <summary>RoleBindings and ClusterRoleBindings.</summary>
internal sealed class RoleBindingStrategy(string plural, bool namespaced) : KindStrategy(Of("rbac.authorization.k8s.io", "v1", plural), names: NameRule.PathSegment)
{
    private const string Group = "rbac.authorization.k8s.io";

    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        obj.Ensure("roleRef").Default("apiGroup", Group);
        foreach (var (_, subject) in obj.Items("subjects"))
        {
            if (subject.Str("kind") is "User" or "Group")
                subject.Default("apiGroup", Group);
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var role = obj.Obj("roleRef") ?? [];
        if (role.Str("apiGroup") != Group)
            errors.Add(FieldError.NotSupported("roleRef.apiGroup", role.Str("apiGroup"), Group));
        string[] kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
        if (!kinds.Contains(role.Str("kind")))
            errors.Add(FieldError.NotSupported("roleRef.kind", role.Str("kind"), kinds));
        if (role.Str("name").Length == 0)
            errors.Add(FieldError.Required("roleRef.name"));
        else
            errors.Rules("roleRef.name", role.Str("name"), Names.PathSegment(role.Str("name")));
        foreach (var (i, subject) in obj.Items("subjects"))
            Subject(errors, new FieldPath("subjects").Index(i), subject);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (!JsonAccess.Same(obj["roleRef"], old["roleRef"]))
            errors.Add(FieldError.Invalid("roleRef", obj["roleRef"], "cannot change roleRef"));
    }

    private void Subject(List<FieldError> errors, FieldPath at, JsonObject subject)
    {
        if (subject.Str("name").Length == 0)
            errors.Add(FieldError.Required(at.Child("name")));
        switch (subject.Str("kind"))
        {
            case "ServiceAccount":
                if (subject.Str("name").Length > 0)
                    errors.Rules(at.Child("name"), subject.Str("name"), Names.Dns1123Subdomain(subject.Str("name")));
                if (subject.Str("apiGroup").Length > 0)
                    errors.Add(FieldError.NotSupported(at.Child("apiGroup"), subject.Str("apiGroup"), string.Empty));
                if (!namespaced && subject.Str("namespace").Length == 0)
                    errors.Add(FieldError.Required(at.Child("namespace")));
                break;
            case "User" or "Group":
                if (subject.Str("apiGroup") != Group)
                    errors.Add(FieldError.NotSupported(at.Child("apiGroup"), subject.Str("apiGroup"), Group));
                break;
            default:
                errors.Add(FieldError.NotSupported(at.Child("kind"), subject.Str("kind"), "ServiceAccount", "User", "Group"));
                break;
        }
    }
}
