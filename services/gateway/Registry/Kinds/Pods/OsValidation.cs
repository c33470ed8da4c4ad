using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Fields that a pod of one operating system may not set.</summary>
internal static class OsValidation
{
    private const string NotOnWindows = "cannot be set for a windows pod";

    private static readonly string[] PodContext =
    [
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup", "supplementalGroups",
        "supplementalGroupsPolicy", "seLinuxChangePolicy",
    ];

    private static readonly string[] PodFields = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"];

    private static readonly string[] ContainerContext =
    [
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser",
        "runAsGroup",
    ];

    public static void Linux(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        const string Rule = "windows options cannot be set for a linux pod";
        Forbid(errors, path.Child("securityContext"), spec.Obj("securityContext"), ["windowsOptions"], Rule);
        foreach (var (at, container) in Containers(path, spec))
            Forbid(errors, at.Child("securityContext"), container.Obj("securityContext"), ["windowsOptions"], Rule);
    }

    public static void Windows(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        Forbid(errors, path.Child("securityContext"), spec.Obj("securityContext"), PodContext, NotOnWindows);
        Forbid(errors, path, spec, PodFields, NotOnWindows);
        foreach (var (at, container) in Containers(path, spec))
            Forbid(errors, at.Child("securityContext"), container.Obj("securityContext"), ContainerContext, NotOnWindows);
    }

    private static IEnumerable<(FieldPath At, JsonObject Container)> Containers(FieldPath path, JsonObject spec)
    {
        foreach (var list in new[] { "initContainers", "containers", "ephemeralContainers" })
        {
            foreach (var (i, container) in spec.Items(list))
                yield return (path.Child(list).Index(i), container);
        }
    }

    private static void Forbid(List<FieldError> errors, FieldPath path, JsonObject? context, string[] fields, string rule)
    {
        foreach (var field in fields)
        {
            if (context.Has(field))
                errors.Add(FieldError.Forbidden(path.Child(field), rule));
        }
    }
}
