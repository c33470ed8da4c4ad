using System.Net;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Selectors;

namespace Mesh.Gateway.Registry.Kinds;

/// <summary>Rules that many kinds share, in Kubernetes' words.</summary>
internal static class Check
{
    public const string Immutable = "field is immutable";
    public const string NonNegativeRule = "must be greater than or equal to 0";
    private static readonly string[] LabelOperators = ["In", "NotIn", "Exists", "DoesNotExist"];

    public static void NonNegative(this List<FieldError> errors, FieldPath path, long? value)
    {
        if (value < 0)
            errors.Add(FieldError.Invalid(path, value, NonNegativeRule));
    }

    public static void Positive(this List<FieldError> errors, FieldPath path, long? value)
    {
        if (value <= 0)
            errors.Add(FieldError.Invalid(path, value, "must be greater than 0"));
    }

    /// <summary>Each broken rule of a name is an error of its own.</summary>
    public static void Rules(this List<FieldError> errors, FieldPath path, object? value, IReadOnlyList<string> broken)
    {
        foreach (var rule in broken)
            errors.Add(FieldError.Invalid(path, value, rule));
    }

    /// <summary>A required value out of a set.</summary>
    public static void OneOf(this List<FieldError> errors, FieldPath path, string value, params string[] supported)
    {
        if (value.Length == 0)
            errors.Add(FieldError.Required(path));
        else if (!supported.Contains(value))
            errors.Add(FieldError.NotSupported(path, value, supported));
    }

    /// <summary>An optional value out of a set.</summary>
    public static void OptionalOneOf(this List<FieldError> errors, FieldPath path, string value, params string[] supported)
    {
        if (value.Length > 0 && !supported.Contains(value))
            errors.Add(FieldError.NotSupported(path, value, supported));
    }

    /// <summary>A value that is there, out of a set.</summary>
    public static void Supported(this List<FieldError> errors, FieldPath path, string value, params string[] supported)
    {
        if (!supported.Contains(value))
            errors.Add(FieldError.NotSupported(path, value, supported));
    }

    /// <summary>The keys of annotations.</summary>
    public static void Annotations(this List<FieldError> errors, FieldPath path, JsonObject? annotations)
    {
        foreach (var (key, _) in annotations ?? [])
            errors.Rules(path, key, Names.QualifiedName(key.ToLowerInvariant()));
    }

    /// <summary>A field that may not change.</summary>
    public static void Unchanged(this List<FieldError> errors, FieldPath path, JsonNode? value, JsonNode? old)
    {
        if (!JsonAccess.Same(value, old))
            errors.Add(FieldError.Invalid(path, value, Immutable));
    }

    public static void Labels(this List<FieldError> errors, FieldPath path, JsonObject? labels)
    {
        foreach (var (key, value) in labels ?? [])
        {
            errors.Rules(path, key, Names.QualifiedName(key));
            errors.Rules(path, value?.ToString() ?? string.Empty, Names.LabelValue(value?.ToString() ?? string.Empty));
        }
    }

    /// <summary>A LabelSelector object; valueRule: under which name values that are none are forgiven objects that had them, null for never.</summary>
    public static void LabelSelector(this List<FieldError> errors, FieldPath path, JsonObject? selector, string? valueRule = Ratchet.SelectorValue)
    {
        errors.Labels(path.Child("matchLabels"), selector.Obj("matchLabels"));
        foreach (var (i, item) in selector.Items("matchExpressions"))
        {
            var at = path.Child("matchExpressions").Index(i);
            errors.Requirement(at, item, LabelOperators);
            var list = item.Strings("values");
            var before = errors.Count;
            for (var v = 0; v < list.Count; v++)
                errors.Rules(at.Child("values").Index(v), list[v], Names.LabelValue(list[v]));
            errors.Name(before, valueRule);
        }
    }

    /// <summary>The key and the operator of a requirement on labels, and how many values it has; operators: those there are.</summary>
    public static void Requirement(this List<FieldError> errors, FieldPath at, JsonObject item, string[] operators)
    {
        var op = item.Str("operator");
        var values = item.Arr("values")?.Count ?? 0;
        if (!operators.Contains(op))
            errors.Add(FieldError.Invalid(at.Child("operator"), op, "not a valid selector operator"));
        else if (op is "In" or "NotIn" && values == 0)
            errors.Add(FieldError.Required(at.Child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
        else if (op is "Exists" or "DoesNotExist" && values > 0)
            errors.Add(FieldError.Forbidden(at.Child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        else if (op is "Gt" or "Lt" && values != 1)
            errors.Add(FieldError.Required(at.Child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        errors.Rules(at.Child("key"), item.Str("key"), Names.QualifiedName(item.Str("key")));
    }

    /// <summary>Whether a LabelSelector object matches labels; a broken selector matches nothing.</summary>
    public static bool SelectorMatches(JsonObject? selector, JsonObject? labels)
    {
        try
        {
            return Selector.FromJson(selector).Matches(labels);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public static bool SelectorIsEmpty(JsonObject? selector) =>
        selector is null || ((selector.Obj("matchLabels")?.Count ?? 0) == 0 && (selector.Arr("matchExpressions")?.Count ?? 0) == 0);

    /// <summary>An IP address in its usual spelling.</summary>
    public static void Ip(this List<FieldError> errors, FieldPath path, string value)
    {
        if (!IsIp(value))
            errors.Add(FieldError.Invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)") with { Rule = Ratchet.Address });
    }

    /// <summary>True for dotted-quad IPv4 (four decimal parts, no leading zeros) and IPv6 without a zone.</summary>
    public static bool IsIp(string value)
    {
        if (!IPAddress.TryParse(value, out _) || value.Contains('%') || value.Contains('['))
            return false;
        if (value.Contains(':'))
            return true;
        var parts = value.Split('.');
        return parts.Length == 4 && parts.All(p => p.Length is > 0 and <= 3 && p.All(char.IsAsciiDigit) && (p.Length == 1 || p[0] != '0'));
    }

    /// <summary>A CIDR value: address, slash, prefix length.</summary>
    public static bool IsCidr(string value)
    {
        var slash = value.IndexOf('/');
        return slash > 0 && IsIp(value[..slash]) && int.TryParse(value.AsSpan(slash + 1), out var bits) && bits >= 0 && bits <= (value.Contains(':') ? 128 : 32);
    }

    public static void Cidr(this List<FieldError> errors, FieldPath path, string value)
    {
        if (!IsCidr(value))
            errors.Add(FieldError.Invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)") with { Rule = Ratchet.Address });
    }

    /// <summary>A number that is not negative, or a percentage.</summary>
    public static void PositiveIntOrPercent(this List<FieldError> errors, FieldPath path, IntOrString? value)
    {
        if (value is not { } given)
            return;
        if (!given.IsString)
            errors.NonNegative(path, given.IntValue);
        else
            errors.Rules(path, given.StringValue, Names.Percent(given.StringValue!));
    }

    /// <summary>A percentage of at most one hundred.</summary>
    public static void NotMoreThan100Percent(this List<FieldError> errors, FieldPath path, IntOrString? value)
    {
        if (value is { } given && given.TryGetPercent(out var percent) && percent > 100)
            errors.Add(FieldError.Invalid(path, given.StringValue, "must not be greater than 100%"));
    }
}
