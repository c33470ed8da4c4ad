using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Quotas;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of requests and limits, of containers and of whole pods.</summary>
internal static class ResourceValidation
{
    public static void Requirements(List<FieldError> errors, FieldPath path, JsonObject? resources, IReadOnlySet<string> claims) =>
        Requirements(errors, path, resources, claims, ResourceNames.Container);

    /// <summary>Amounts of resources that containers can have.</summary>
    public static void List(List<FieldError> errors, FieldPath path, JsonObject? list)
    {
        foreach (var (name, node) in list ?? [])
        {
            ResourceNames.Container(errors, path.Key(name), name);
            Amount(errors, path.Key(name), name, node?.ToString() ?? string.Empty);
            HugePages(errors, path.Key(name), name, node?.ToString());
        }
    }

    /// <summary>An amount of a named resource: not negative, and whole where the resource cannot be divided.</summary>
    public static void Amount(List<FieldError> errors, FieldPath at, string name, string text)
    {
        if (!Quantity.TryParse(text, out var amount, out var error))
        {
            errors.Add(FieldError.Invalid(at, text, error!));
            return;
        }

        if (amount.Sign < 0)
            errors.Add(FieldError.Invalid(at, amount.ToString(), Check.NonNegativeRule));
        if (!amount.IsInteger && ResourceNames.IsInteger(name))
            errors.Add(FieldError.Invalid(at, amount.ToString(), "must be an integer"));
    }

    /// <summary>spec.resourceClaims.</summary>
    public static void PodClaims(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        HashSet<string>? names = null;
        foreach (var (i, claim) in spec.Items("resourceClaims"))
        {
            var at = path.Index(i);
            var name = claim.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else if (!(names ??= new(StringComparer.Ordinal)).Add(name))
                errors.Add(FieldError.Duplicate(at.Child("name"), name));
            else
                errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
            var (byName, byTemplate) = (claim.Has("resourceClaimName"), claim.Has("resourceClaimTemplateName"));
            if (byName && byTemplate)
                errors.Add(FieldError.Invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
            if (!byName && !byTemplate)
                errors.Add(FieldError.Invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
            foreach (var field in new[] { "resourceClaimName", "resourceClaimTemplateName" })
            {
                if (claim.Has(field))
                    errors.Rules(at.Child(field), claim.Str(field), Names.Dns1123Subdomain(claim.Str(field)));
            }
        }
    }

    /// <summary>spec.resources (KEP-2837): what all containers together ask for fits, and no container may have more than the pod.</summary>
    public static void PodLevel(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Obj("resources") is not { } resources)
            return;
        if (spec.Obj("os").Str("name") == "windows")
        {
            errors.Add(FieldError.Forbidden(path, "may not be set for a windows pod"));
            return;
        }

        if (resources.Has("claims"))
            errors.Add(FieldError.Forbidden(path.Child("claims"), "claims cannot be set for Resources at pod-level"));
        Requirements(errors, path, resources, EmptySet, ResourceNames.Pod);
        foreach (var list in new[] { "requests", "limits" })
        {
            foreach (var (name, asked) in PodResources.Sum(spec, list).OrderBy(static p => p.Key, StringComparer.Ordinal))
            {
                if (list == "limits" && !ResourceNames.IsHugePage(name))
                    continue;
                if (Quantity.TryParse(resources.Obj(list).Str(name), out var pod) && asked > pod)
                    errors.Add(FieldError.Invalid(path.Child(list).Key(name), pod.ToString(), $"must be greater than or equal to aggregate container {list} of {asked}"));
            }
        }

        foreach (var (i, container) in spec.Items("containers"))
        {
            foreach (var (name, node) in container.Obj("resources", "limits") ?? [])
            {
                if (Quantity.TryParse(resources.Obj("limits").Str(name), out var pod) && Quantity.TryParse(node?.ToString(), out var limit) && limit > pod)
                    errors.Add(FieldError.Invalid(path.Child("containers").Index(i).Key(name).Child("limits"), limit.ToString(), $"must be less than or equal to pod limits of {pod}"));
            }
        }
    }

    private static IReadOnlySet<string> EmptySet { get; } = new HashSet<string>();

    private static void Requirements(
        List<FieldError> errors, FieldPath path, JsonObject? resources, IReadOnlySet<string> claims, Action<List<FieldError>, FieldPath, string> nameRule)
    {
        if (resources is null || resources.Count == 0)
            return;
        var (limits, requests) = (resources.Obj("limits"), resources.Obj("requests"));
        foreach (var (list, field) in new[] { (limits, "limits"), (requests, "requests") })
        {
            foreach (var (name, node) in list ?? [])
            {
                var at = path.Child(field).Key(name);
                nameRule(errors, at, name);
                Amount(errors, at, name, node?.ToString() ?? string.Empty);
                if (field == "requests")
                    FitsLimit(errors, path, name, node?.ToString(), limits);
                HugePages(errors, at, name, node?.ToString());
            }
        }

        var named = (limits ?? []).Select(static p => p.Key).Concat((requests ?? []).Select(static p => p.Key));
        if (named.Any(ResourceNames.IsHugePage) && !named.Any(static n => n is "cpu" or "memory"))
            errors.Add(FieldError.Forbidden(path, "HugePages require cpu or memory"));
        Claims(errors, path.Child("claims"), resources, claims);
    }

    private static void FitsLimit(List<FieldError> errors, FieldPath path, string name, string? text, JsonObject? limits)
    {
        if (!Quantity.TryParse(text, out var request))
            return;
        var overcommit = ResourceNames.MayOvercommit(name);
        if (limits?[name] is not { } node)
        {
            if (!overcommit)
                errors.Add(FieldError.Required(path.Child("limits"), "Limit must be set for non overcommitable resources"));
            return;
        }

        if (!Quantity.TryParse(node.ToString(), out var limit))
            return;
        if (request != limit && !overcommit)
            errors.Add(FieldError.Invalid(path.Child("requests"), request.ToString(), $"must be equal to {name} limit of {limit}"));
        else if (request > limit)
            errors.Add(FieldError.Invalid(path.Child("requests"), request.ToString(), $"must be less than or equal to {name} limit of {limit}"));
    }

    private static void HugePages(List<FieldError> errors, FieldPath at, string name, string? text)
    {
        if (!ResourceNames.IsHugePage(name) || !Quantity.TryParse(text, out var amount) || !Quantity.TryParse(name["hugepages-".Length..], out var page) || page.Sign <= 0)
            return;
        if (amount.Sign < 0 || amount.Nanos % page.Nanos != 0)
            errors.Add(FieldError.Invalid(at, amount.ToString(), $"{amount} is not positive integer multiple of {name}") with { Rule = Ratchet.HugePageMultiple });
    }

    private static void Claims(List<FieldError> errors, FieldPath path, JsonObject resources, IReadOnlySet<string> claims)
    {
        HashSet<string>? seen = null;
        foreach (var (i, claim) in resources.Items("claims"))
        {
            var (name, request) = (claim.Str("name"), claim.Str("request"));
            if (name.Length == 0)
            {
                errors.Add(FieldError.Required(path.Index(i)));
                continue;
            }

            if (request.Length > 0)
                errors.Rules(path.Index(i).Child("request"), request, Names.Dns1123Label(request));
            seen ??= new(StringComparer.Ordinal);
            var key = request.Length == 0 ? name : name + "/" + request;
            if (seen.Contains(name) || !seen.Add(key) || (request.Length == 0 && seen.Any(s => s.StartsWith(name + "/", StringComparison.Ordinal))))
                errors.Add(FieldError.Duplicate(path.Index(i), key));
            if (!claims.Contains(name))
            {
                errors.Add(new FieldError(FieldErrorType.NotFound, path.Index(i), name, "must be one of the names in pod.spec.resourceClaims"
                    + (claims.Count == 0 ? " which is empty" : ": " + string.Join(", ", claims.Order(StringComparer.Ordinal)))));
            }
        }
    }
}
