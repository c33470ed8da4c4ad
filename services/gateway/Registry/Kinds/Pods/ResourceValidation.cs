using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of resource names and amounts.</summary>
internal static class ResourceValidation
{
    private static readonly string[] ContainerResources = ["cpu", "memory", "ephemeral-storage"];

    public static void Requirements(List<FieldError> errors, FieldPath path, JsonObject? resources)
    {
        if (resources is null)
            return;
        List(errors, path.Child("limits"), resources.Obj("limits"));
        List(errors, path.Child("requests"), resources.Obj("requests"));
        foreach (var (name, node) in resources.Obj("requests") ?? [])
        {
            var at = path.Child("requests");
            if (!Quantity.TryParse(node?.ToString(), out var request))
                continue;
            if (Quantity.TryParse(resources.Obj("limits")?[name]?.ToString(), out var limit))
            {
                if (request > limit && !MustMatchLimit(name))
                    errors.Add(FieldError.Invalid(at, request.ToString(), $"must be less than or equal to {name} limit of {limit}"));
                else if (MustMatchLimit(name) && request != limit)
                    errors.Add(FieldError.Invalid(at, request.ToString(), $"must be equal to {name} limit of {limit}"));
            }
            else if (MustMatchLimit(name))
            {
                errors.Add(FieldError.Required(path.Child("limits"), "Limit must be set for non overcommitable resources"));
            }
        }
    }

    public static void List(List<FieldError> errors, FieldPath path, JsonObject? list, bool container = true)
    {
        foreach (var (name, node) in list ?? [])
        {
            var at = path.Key(name);
            var broken = Names.QualifiedName(name);
            errors.Rules(path, name, broken);
            if (broken.Count == 0 && container && !name.Contains('/') && !ContainerResources.Contains(name) && !name.StartsWith("hugepages-", StringComparison.Ordinal))
                errors.Add(FieldError.Invalid(path, name, "must be a standard resource for containers"));
            Amount(errors, at, name, node?.ToString() ?? string.Empty);
        }
    }

    public static void Amount(List<FieldError> errors, FieldPath at, string name, string text)
    {
        if (!Quantity.TryParse(text, out var amount, out var error))
            errors.Add(FieldError.Invalid(at, text, error!));
        else if (amount.Sign < 0)
            errors.Add(FieldError.Invalid(at, text, Check.NonNegativeRule));
        else if (!amount.IsInteger && IsInteger(name))
            errors.Add(FieldError.Invalid(at, text, "must be an integer"));
    }

    private static bool IsInteger(string name) => name is "pods" or "services" or "replicationcontrollers" or "resourcequotas" or "secrets" or "configmaps"
        or "persistentvolumeclaims" or "services.nodeports" or "services.loadbalancers" || name.StartsWith("count/", StringComparison.Ordinal) || IsExtended(name);

    // Devices and huge pages cannot be shared out twice.
    private static bool MustMatchLimit(string name) => name.StartsWith("hugepages-", StringComparison.Ordinal) || IsExtended(name);

    private static bool IsExtended(string name) => name.Contains('/') && !name.StartsWith("requests.", StringComparison.Ordinal)
        && !name[..name.IndexOf('/')].EndsWith("kubernetes.io", StringComparison.Ordinal) && !name.StartsWith("count/", StringComparison.Ordinal);
}
