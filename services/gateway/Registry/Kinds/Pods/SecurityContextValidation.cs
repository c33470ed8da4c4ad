using System.Buffers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of security contexts.</summary>
internal static partial class SecurityContextValidation
{
    private const int SysctlMaxLength = 253;
    private const string SysctlForm = @"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    private const int MaxProfileLength = 4095;
    private static readonly SearchValues<char> NotInUsers = SearchValues.Create("\"/\\:;|=,+*?<>@[]");

    public static void Pod(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Obj("securityContext") is { } context && context.Count > 0)
            PodContext(errors, path, context, spec);
        if (spec.Bool("hostPID") && spec.Bool("shareProcessNamespace"))
            errors.Add(FieldError.Invalid(path.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"));
    }

    public static void Container(List<FieldError> errors, FieldPath path, JsonObject? context, bool hostUsers)
    {
        if (context is null || context.Count == 0)
            return;
        Id(errors, path, context, "runAsUser");
        Id(errors, path, context, "runAsGroup");
        if (context.Has("procMount"))
        {
            var mount = context.Str("procMount");
            if (mount is not ("Default" or "Unmasked"))
                errors.Add(FieldError.NotSupported(path.Child("procMount"), mount, "Default", "Unmasked"));
            if (hostUsers && mount == "Unmasked")
                errors.Add(FieldError.Invalid(path.Child("procMount"), mount, "`hostUsers` must be false to use `Unmasked`"));
        }

        Seccomp(errors, path.Child("seccompProfile"), context.Obj("seccompProfile"));
        if (context["allowPrivilegeEscalation"] is not null && !context.Bool("allowPrivilegeEscalation"))
        {
            if (context.Bool("privileged"))
                errors.Add(FieldError.Invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
            if (context.Obj("capabilities").Strings("add").Contains("CAP_SYS_ADMIN"))
                errors.Add(FieldError.Invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
        }

        Windows(errors, path.Child("windowsOptions"), context.Obj("windowsOptions"));
        AppArmor(errors, path.Child("appArmorProfile"), context.Obj("appArmorProfile"));
    }

    private static void PodContext(List<FieldError> errors, FieldPath path, JsonObject context, JsonObject spec)
    {
        Id(errors, path, context, "fsGroup");
        Id(errors, path, context, "runAsUser");
        Id(errors, path, context, "runAsGroup");
        var groups = context.Arr("supplementalGroups");
        for (var i = 0; i < (groups?.Count ?? 0); i++)
        {
            var group = JsonAccess.Num(groups![i]) ?? 0;
            errors.Rules(path.Child("supplementalGroups").Index(i), group, Names.UserId(group));
        }

        Sysctls(errors, path.Child("sysctls"), context, spec);
        if (context.Has("fsGroupChangePolicy"))
            errors.Supported(path.Child("fsGroupChangePolicy"), context.Str("fsGroupChangePolicy"), "Always", "OnRootMismatch");
        Seccomp(errors, path.Child("seccompProfile"), context.Obj("seccompProfile"));
        Windows(errors, path.Child("windowsOptions"), context.Obj("windowsOptions"));
        AppArmor(errors, path.Child("appArmorProfile"), context.Obj("appArmorProfile"));
        if (context.Has("supplementalGroupsPolicy"))
            errors.Supported(path.Child("supplementalGroupsPolicy"), context.Str("supplementalGroupsPolicy"), "Merge", "Strict");
        if (context.Has("seLinuxChangePolicy"))
            errors.Supported(path.Child("seLinuxChangePolicy"), context.Str("seLinuxChangePolicy"), "MountOption", "Recursive");
    }

    private static void Id(List<FieldError> errors, FieldPath path, JsonObject context, string field)
    {
        if (context.Num(field) is { } id)
            errors.Rules(path.Child(field), id, Names.UserId(id));
    }

    private static void Sysctls(List<FieldError> errors, FieldPath path, JsonObject context, JsonObject spec)
    {
        HashSet<string>? seen = null;
        foreach (var (i, sysctl) in context.Items("sysctls"))
        {
            var (at, name) = (path.Index(i).Child("name"), sysctl.Str("name"));
            if (name.Length == 0)
                errors.Add(FieldError.Required(at));
            else if (name.Length > SysctlMaxLength || !Sysctl().IsMatch(name))
                errors.Add(FieldError.Invalid(at, name, $"must have at most {SysctlMaxLength} characters and match regex {SysctlForm}"));
            else if (!(seen ??= new(StringComparer.Ordinal)).Add(name))
                errors.Add(FieldError.Duplicate(at, name));
            if (SharedNamespace(name.Replace('/', '.'), spec) is { } shared)
                errors.Add(FieldError.Invalid(at, name, $"may not be specified when '{shared}' is true") with { Rule = Ratchet.HostSysctl });
        }
    }

    // A namespaced sysctl would change the host's own when the pod lives in the host's namespace.
    private static string? SharedNamespace(string name, JsonObject spec)
    {
        if (spec.Bool("hostNetwork") && name.StartsWith("net.", StringComparison.Ordinal))
            return "hostNetwork";
        var ipc = name == "kernel.sem" || name.StartsWith("kernel.shm", StringComparison.Ordinal) || name.StartsWith("kernel.msg", StringComparison.Ordinal)
            || name.StartsWith("fs.mqueue.", StringComparison.Ordinal);
        return ipc && spec.Bool("hostIPC") ? "hostIPC" : null;
    }

    private static void Seccomp(List<FieldError> errors, FieldPath at, JsonObject? profile)
    {
        if (profile is null)
            return;
        var type = profile.Str("type");
        if (type.Length == 0)
            errors.Add(FieldError.Required(at.Child("type"), "type is required when seccompProfile is set"));
        else
            errors.Supported(at.Child("type"), type, "Localhost", "RuntimeDefault", "Unconfined");
        if (type == "Localhost")
        {
            if (!profile.Has("localhostProfile"))
                errors.Add(FieldError.Required(at.Child("localhostProfile"), "must be set when seccomp type is Localhost"));
            else
                VolumeValidation.RelativePath(errors, at.Child("localhostProfile"), profile.Str("localhostProfile"));
        }
        else if (profile.Has("localhostProfile"))
        {
            errors.Add(FieldError.Invalid(at.Child("localhostProfile"), profile, "can only be set when seccomp type is Localhost"));
        }
    }

    /// <summary>The AppArmor profile of a pod or a container.</summary>
    public static void AppArmor(List<FieldError> errors, FieldPath at, JsonObject? profile)
    {
        if (profile is null)
            return;
        var (type, local, path) = (profile.Str("type"), profile.Str("localhostProfile"), at.Child("localhostProfile"));
        switch (type)
        {
            case "":
                errors.Add(FieldError.Required(at.Child("type"), "type is required when appArmorProfile is set"));
                break;
            case "Localhost":
                if (local.Trim() != local)
                    errors.Add(FieldError.Invalid(path, local, "must not be padded with whitespace"));
                else if (local.Length == 0)
                    errors.Add(FieldError.Required(path, "must be set when AppArmor type is Localhost"));
                if (local.Length > MaxProfileLength)
                    errors.Add(FieldError.TooLong(path, MaxProfileLength));
                break;
            case "RuntimeDefault" or "Unconfined":
                if (profile.Has("localhostProfile"))
                    errors.Add(FieldError.Invalid(path, local, "can only be set when AppArmor type is Localhost"));
                break;
            default:
                errors.Add(FieldError.NotSupported(at.Child("type"), type, "Localhost", "RuntimeDefault", "Unconfined"));
                break;
        }
    }

    private static void Windows(List<FieldError> errors, FieldPath at, JsonObject? options)
    {
        if (options is null)
            return;
        if (options.Has("gmsaCredentialSpecName"))
            errors.Rules(at.Child("gmsaCredentialSpecName"), options.Str("gmsaCredentialSpecName"), Names.Dns1123Subdomain(options.Str("gmsaCredentialSpecName")));
        if (options.Has("gmsaCredentialSpec") && options.Str("gmsaCredentialSpec").Length == 0)
            errors.Add(FieldError.Invalid(at.Child("gmsaCredentialSpec"), string.Empty, "gmsaCredentialSpec cannot be an empty string"));
        if (options.Has("runAsUserName"))
            WindowsUser(errors, at.Child("runAsUserName"), options.Str("runAsUserName"));
    }

    private static void WindowsUser(List<FieldError> errors, FieldPath at, string name)
    {
        var parts = name.Split('\\');
        var user = parts[^1];
        if (name.Length == 0)
            errors.Add(FieldError.Invalid(at, name, "runAsUserName cannot be an empty string"));
        else if (name.Any(char.IsControl))
            errors.Add(FieldError.Invalid(at, name, "runAsUserName cannot contain control characters"));
        else if (parts.Length > 2)
            errors.Add(FieldError.Invalid(at, name, "runAsUserName cannot contain more than one backslash"));
        else if (user.Length == 0)
            errors.Add(FieldError.Invalid(at, name, "runAsUserName's User cannot be empty"));
        else if (user.Length > 104)
            errors.Add(FieldError.Invalid(at, name, "runAsUserName's User length must not be longer than 104 characters"));
        else if (user.All(static c => c is '.' or ' '))
            errors.Add(FieldError.Invalid(at, name, "runAsUserName's User cannot contain only periods or spaces"));
        else if (user.AsSpan().ContainsAny(NotInUsers))
            errors.Add(FieldError.Invalid(at, name, "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"));
    }

    [GeneratedRegex(SysctlForm, RegexOptions.CultureInvariant)]
    private static partial Regex Sysctl();
}
