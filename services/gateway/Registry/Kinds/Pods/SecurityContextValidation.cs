using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of security contexts.</summary>
internal static class SecurityContextValidation
{
    public static void Pod(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Obj("securityContext") is not { } context)
            return;
        Ids(errors, path, context, "fsGroup", "runAsGroup", "runAsUser");
        var groups = context.Arr("supplementalGroups");
        for (var i = 0; i < (groups?.Count ?? 0); i++)
            errors.Rules(path.Child("supplementalGroups").Index(i), JsonAccess.Num(groups![i]), Names.UserId(JsonAccess.Num(groups[i]) ?? 0));
        if (spec.Bool("hostPID") && spec.Bool("shareProcessNamespace"))
            errors.Add(FieldError.Invalid(path.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"));
        errors.OptionalOneOf(path.Child("fsGroupChangePolicy"), context.Str("fsGroupChangePolicy"), "Always", "OnRootMismatch");
        errors.OptionalOneOf(path.Child("supplementalGroupsPolicy"), context.Str("supplementalGroupsPolicy"), "Merge", "Strict");
        var sysctls = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, sysctl) in context.Items("sysctls"))
        {
            var at = path.Child("sysctls").Index(i).Child("name");
            if (sysctl.Str("name").Length == 0)
                errors.Add(FieldError.Required(at));
            else if (!sysctls.Add(sysctl.Str("name")))
                errors.Add(FieldError.Duplicate(at, sysctl.Str("name")));
        }

        Profiles(errors, path, context);
    }

    public static void Container(List<FieldError> errors, FieldPath path, JsonObject? context)
    {
        if (context is null)
            return;
        Ids(errors, path, context, "runAsUser", "runAsGroup");
        errors.OptionalOneOf(path.Child("procMount"), context.Str("procMount"), "Default", "Unmasked");
        Profiles(errors, path, context);
        if (context["allowPrivilegeEscalation"] is not null && !context.Bool("allowPrivilegeEscalation"))
        {
            if (context.Bool("privileged"))
                errors.Add(FieldError.Invalid(path, string.Empty, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
            if (context.Obj("capabilities").Strings("add").Any(c => c is "CAP_SYS_ADMIN" or "SYS_ADMIN"))
                errors.Add(FieldError.Invalid(path, string.Empty, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
        }
    }

    private static void Ids(List<FieldError> errors, FieldPath path, JsonObject context, params string[] fields)
    {
        foreach (var field in fields)
        {
            if (context.Num(field) is { } id)
                errors.Rules(path.Child(field), id, Names.UserId(id));
        }
    }

    private static void Profiles(List<FieldError> errors, FieldPath path, JsonObject context)
    {
        foreach (var name in new[] { "seccompProfile", "appArmorProfile" })
        {
            if (context.Obj(name) is not { } profile)
                continue;
            var at = path.Child(name);
            if (profile.Str("type").Length == 0)
                errors.Add(FieldError.Required(at.Child("type"), "type is required when " + name + " is set"));
            else
                errors.OptionalOneOf(at.Child("type"), profile.Str("type"), "Localhost", "RuntimeDefault", "Unconfined");
            if (profile.Str("type") == "Localhost" && profile.Str("localhostProfile").Length == 0)
                errors.Add(FieldError.Required(at.Child("localhostProfile"), "must be set when " + (name == "seccompProfile" ? "seccomp" : "AppArmor") + " type is Localhost"));
            else if (profile.Str("type") is not ("Localhost" or "") && profile.Has("localhostProfile"))
                errors.Add(FieldError.Invalid(at.Child("localhostProfile"), profile.Str("localhostProfile"), "can only be set when " + (name == "seccompProfile" ? "seccomp" : "AppArmor") + " type is Localhost"));
        }
    }
}
