using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>
/// The annotations by which seccomp and AppArmor profiles were chosen before there were fields: they must be well formed and say what the fields
/// say; AppArmor's become fields when a pod is made (KEP-24, KEP-135: version skew).
/// </summary>
internal static class ProfileAnnotations
{
    /// <summary>Annotation of a container's AppArmor profile, before the container's name.</summary>
    public const string AppArmor = "container.apparmor.security.beta.kubernetes.io/";

    private const string SeccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
    private const string SeccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
    private const string Local = "localhost/";

    /// <summary>The form of the annotations of a pod or template.</summary>
    public static void Form(List<FieldError> errors, FieldPath path, JsonObject annotations, JsonObject spec)
    {
        if (annotations.ContainsKey(SeccompOfPod))
            Seccomp(errors, path.Child(SeccompOfPod), annotations.Str(SeccompOfPod));
        foreach (var (key, _) in annotations)
        {
            if (key.StartsWith(SeccompOfContainer, StringComparison.Ordinal))
                Seccomp(errors, path.Child(key), annotations.Str(key));
        }

        var names = Containers(string.Empty, spec).Select(static c => c.Container.Str("name")).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, _) in annotations)
        {
            if (!key.StartsWith(AppArmor, StringComparison.Ordinal))
                continue;
            var (name, profile) = (key[AppArmor.Length..], annotations.Str(key));
            if (!names.Contains(name))
                errors.Add(FieldError.Invalid(path.Key(key), name, "container not found"));
            if (profile is not ("" or "runtime/default" or "unconfined") && !profile.StartsWith(Local, StringComparison.Ordinal))
                errors.Add(FieldError.Invalid(path.Key(key), profile, $"invalid AppArmor profile name: {GoText.Quote(profile)}"));
        }
    }

    /// <summary>New pods and templates: an annotation beside a field says the same.</summary>
    public static void Agree(List<FieldError> errors, FieldPath path, JsonObject owner, JsonObject spec)
    {
        if (owner.Obj("metadata", "annotations") is not { } annotations)
            return;
        var (pod, containers) = (spec.Obj("securityContext"), Containers(path, spec).ToList());
        Same(errors, path.Child("securityContext", "seccompProfile"), annotations, SeccompOfPod, pod.Obj("seccompProfile"), "seccomp");
        foreach (var (at, container) in containers)
        {
            Same(errors, at.Child("securityContext", "seccompProfile"), annotations, SeccompOfContainer + container.Str("name"),
                container.Obj("securityContext", "seccompProfile"), "seccomp");
        }

        if (spec.Obj("os").Str("name") == "windows")
            return;
        foreach (var (at, container) in containers)
        {
            var profile = container.Obj("securityContext", "appArmorProfile") ?? pod.Obj("appArmorProfile");
            Same(errors, at.Child("securityContext", "appArmorProfile"), annotations, AppArmor + container.Str("name"), profile, "apparmor");
        }
    }

    /// <summary>A new pod: annotations of AppArmor become the fields of containers that have none; answers what the writer is warned about.</summary>
    public static IEnumerable<string> Sync(JsonObject pod)
    {
        if (pod.Obj("metadata", "annotations") is not { } annotations || pod.Obj("spec") is not { } spec || spec.Obj("os").Str("name") == "windows")
            return [];
        var warnings = new List<string>();
        var ofPod = spec.Obj("securityContext", "appArmorProfile");
        foreach (var (_, container) in Containers(string.Empty, spec))
        {
            var key = AppArmor + container.Str("name");
            if (!annotations.ContainsKey(key) || container.Obj("securityContext").Has("appArmorProfile"))
                continue;
            var field = Field(annotations.Str(key));
            // What is the pod's profile anyway needs no field, and no word.
            if (field is not null && ofPod.Str("type") == field.Str("type") && ofPod.Str("localhostProfile") == field.Str("localhostProfile"))
                continue;
            if (field is not null)
                container.Ensure("securityContext")["appArmorProfile"] = field;
            warnings.Add($"metadata.annotations[{key}]: deprecated since v1.30; use the \"appArmorProfile\" field instead");
        }

        return warnings;
    }

    // Null for what makes no valid field.
    private static JsonObject? Field(string annotation)
    {
        if (annotation == "unconfined")
            return new JsonObject { ["type"] = "Unconfined" };
        if (annotation == "runtime/default")
            return new JsonObject { ["type"] = "RuntimeDefault" };
        if (!annotation.StartsWith(Local, StringComparison.Ordinal))
            return null;
        var profile = new JsonObject { ["type"] = "Localhost", ["localhostProfile"] = annotation[Local.Length..] };
        var errors = new List<FieldError>();
        SecurityContextValidation.AppArmor(errors, FieldPath.Root, profile);
        return errors.Count == 0 ? profile : null;
    }

    private static void Seccomp(List<FieldError> errors, FieldPath path, string profile)
    {
        if (profile.StartsWith(Local, StringComparison.Ordinal))
            VolumeValidation.RelativePath(errors, path, profile[Local.Length..]);
        else if (profile is not ("runtime/default" or "docker/default" or "unconfined"))
            errors.Add(FieldError.Invalid(path, profile, "must be a valid seccomp profile"));
    }

    private static void Same(List<FieldError> errors, FieldPath path, JsonObject annotations, string key, JsonObject? profile, string what)
    {
        if (profile is null || !annotations.ContainsKey(key))
            return;
        var annotation = annotations.Str(key);
        var agrees = profile.Str("type") switch
        {
            "Unconfined" => annotation == "unconfined",
            "RuntimeDefault" => annotation == "runtime/default" || (what == "seccomp" && annotation == "docker/default"),
            "Localhost" => annotation.StartsWith(Local, StringComparison.Ordinal),
            _ => true, // refused as a field
        };
        if (!agrees)
            errors.Add(FieldError.Forbidden(path.Child("type"), $"{what} type in annotation and field must match"));
        else if (profile.Str("type") == "Localhost" && annotation[Local.Length..] != profile.Str("localhostProfile"))
            errors.Add(FieldError.Forbidden(path.Child("localhostProfile"), $"{what} profile in annotation and field must match"));
    }

    private static IEnumerable<(FieldPath At, JsonObject Container)> Containers(FieldPath path, JsonObject spec) =>
        from list in new[] { "initContainers", "containers", "ephemeralContainers" }
        from item in spec.Items(list)
        select (path.Child(list).Index(item.Index), item.Item);
}
