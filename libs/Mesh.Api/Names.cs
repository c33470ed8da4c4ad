using System.Buffers;
using System.Text;

namespace Mesh.Api;

/// <summary>
/// The name rules of the API. Every method answers the list of broken rules in Kubernetes' words; empty means valid.
/// </summary>
public static class Names
{
    /// <summary>Longest DNS label, bytes.</summary>
    public const int LabelMaxLength = 63;

    /// <summary>Longest DNS name, bytes.</summary>
    public const int SubdomainMaxLength = 253;

    private const string LabelFmt = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string SubdomainFmt = LabelFmt + "(\\." + LabelFmt + ")*";
    private const string UnderscoreLabelFmt = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    private const string KeyFmt = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private const string KeyRule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    private const string SubdomainRule =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

    private static readonly IReadOnlyList<string> Fine = [];
    private static readonly SearchValues<char> ConfigMapKeyLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    /// <summary>DNS-1123 label: lower case letters, digits and '-', at most 63.</summary>
    public static IReadOnlyList<string> Dns1123Label(string value)
    {
        if (value.Length <= LabelMaxLength && IsLabel(value))
            return Fine;
        var errors = TooLong(value, LabelMaxLength);
        if (!IsLabel(value))
        {
            errors.Add(IsSubdomain(value) ? "must not contain dots" : RegexError(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                LabelFmt, "my-name", "123-abc"));
        }

        return errors;
    }

    /// <summary>DNS-1123 subdomain: labels joined by dots, at most 253.</summary>
    public static IReadOnlyList<string> Dns1123Subdomain(string value)
    {
        if (value.Length <= SubdomainMaxLength && IsSubdomain(value))
            return Fine;
        var errors = TooLong(value, SubdomainMaxLength);
        if (!IsSubdomain(value))
            errors.Add(RegexError(SubdomainRule, SubdomainFmt, "example.com"));
        return errors;
    }

    /// <summary>DNS-1123 subdomain whose labels may hold underscores (resolv.conf search entries).</summary>
    public static IReadOnlyList<string> Dns1123SubdomainWithUnderscore(string value)
    {
        var errors = TooLong(value, SubdomainMaxLength);
        if (!value.Split('.').All(IsUnderscoreLabel))
        {
            errors.Add(RegexError(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
                UnderscoreLabelFmt + "(\\." + UnderscoreLabelFmt + ")*", "example.com"));
        }

        return errors;
    }

    /// <summary>DNS-1035 label: as DNS-1123, starting with a letter.</summary>
    public static IReadOnlyList<string> Dns1035Label(string value)
    {
        var valid = IsLabel(value) && value[0] is >= 'a' and <= 'z';
        if (valid && value.Length <= LabelMaxLength)
            return Fine;
        var errors = TooLong(value, LabelMaxLength);
        if (!valid)
        {
            errors.Add(RegexError(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
                "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123"));
        }

        return errors;
    }

    /// <summary>A subdomain whose first label is '*'.</summary>
    public static IReadOnlyList<string> WildcardDns1123Subdomain(string value)
    {
        var errors = TooLong(value, SubdomainMaxLength);
        if (!value.StartsWith("*.", StringComparison.Ordinal) || !IsSubdomain(value.AsSpan(2)))
        {
            errors.Add(RegexError(
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
                "\\*\\." + SubdomainFmt, "*.example.com"));
        }

        return errors;
    }

    /// <summary>Label and annotation keys, finalizers, resource names: [subdomain/]name.</summary>
    public static IReadOnlyList<string> QualifiedName(string value)
    {
        var slash = value.IndexOf('/');
        var plain = value.AsSpan(slash + 1);
        if (plain.Length <= LabelMaxLength && IsKeyName(plain) && (slash < 0 || (slash is > 0 and <= SubdomainMaxLength && IsSubdomain(value.AsSpan(0, slash)))))
            return Fine;
        var name = plain.ToString();
        var errors = new List<string>();
        if (name.Contains('/'))
        {
            errors.Add("a valid label key " + RegexError(KeyRule, KeyFmt, "MyName", "my.name", "123-abc")
                + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
            return errors;
        }

        if (slash == 0)
            errors.Add("prefix part must be non-empty");
        else if (slash > 0)
            errors.AddRange(Dns1123Subdomain(value[..slash]).Select(e => "prefix part " + e));

        if (name.Length == 0)
            errors.Add("name part must be non-empty");
        else if (Utf8Length(name) > LabelMaxLength)
            errors.Add("name part " + MaxLength(LabelMaxLength));
        if (!IsKeyName(name))
            errors.Add("name part " + RegexError(KeyRule, KeyFmt, "MyName", "my.name", "123-abc"));
        return errors;
    }

    /// <summary>Label values: empty, or as the name part of a key.</summary>
    public static IReadOnlyList<string> LabelValue(string value)
    {
        if (value.Length == 0 || (value.Length <= LabelMaxLength && IsKeyName(value)))
            return Fine;
        var errors = TooLong(value, LabelMaxLength);
        if (!IsKeyName(value))
        {
            errors.Add(RegexError("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                "(" + KeyFmt + ")?", "MyValue", "my_value", "12345"));
        }

        return errors;
    }

    /// <summary>Environment variable names: printable ASCII without '='.</summary>
    public static IReadOnlyList<string> EnvVarName(string value)
    {
        if (value.Length == 0)
            return ["environment variable name must be non-empty"];
        return value.All(c => c is >= ' ' and < '\x7f' and not '=') ? Fine
            : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
    }

    /// <summary>Keys of ConfigMaps and Secrets.</summary>
    public static IReadOnlyList<string> ConfigMapKey(string value)
    {
        if (value.Length is > 0 and <= SubdomainMaxLength && value[0] != '.' && value.AsSpan().IndexOfAnyExcept(ConfigMapKeyLetters) < 0)
            return Fine;
        var errors = TooLong(value, SubdomainMaxLength);
        if (value.Length == 0 || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            errors.Add(RegexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
        if (value is "." or "..")
            errors.Add($"must not be '{value}'");
        else if (value.StartsWith("..", StringComparison.Ordinal))
            errors.Add("must not start with '..'");
        return errors;
    }

    /// <summary>Port names (IANA service names): 15 of a-z, 0-9 and '-', with a letter.</summary>
    public static IReadOnlyList<string> PortName(string value)
    {
        var errors = TooLong(value, 15);
        if (value.Length == 0 || !value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            errors.Add("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
        if (!value.Any(char.IsAsciiLetterLower))
            errors.Add("must contain at least one letter (a-z)");
        if (value.Contains("--", StringComparison.Ordinal))
            errors.Add("must not contain consecutive hyphens");
        if (value.StartsWith('-') || value.EndsWith('-'))
            errors.Add("must not begin or end with a hyphen");
        return errors;
    }

    /// <summary>Port numbers: 1 to 65535.</summary>
    public static IReadOnlyList<string> PortNumber(long value) => InRange(value, 1, 65535);

    /// <summary>User ids: 0 to 2^32-1.</summary>
    public static IReadOnlyList<string> UserId(long value) => InRange(value, 0, uint.MaxValue);

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public static IReadOnlyList<string> InRange(long value, long low, long high) =>
        value >= low && value <= high ? Fine : [$"must be between {low} and {high}, inclusive"];

    /// <summary>Names of path segments (roles, custom resources by default): no '/', no '%', not '.' or '..'.</summary>
    public static IReadOnlyList<string> PathSegment(string value)
    {
        if (value is "." or "..")
            return [$"may not be '{value}'"];
        var errors = new List<string>();
        if (value.Contains('/'))
            errors.Add("may not contain '/'");
        if (value.Contains('%'))
            errors.Add("may not contain '%'");
        return errors;
    }

    /// <summary>Percentages such as "25%".</summary>
    public static IReadOnlyList<string> Percent(string value) =>
        value.Length > 1 && value[^1] == '%' && value.AsSpan(0, value.Length - 1).IndexOfAnyExceptInRange('0', '9') < 0 ? Fine
            : [RegexError("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")];

    /// <summary>Names of HTTP headers.</summary>
    public static IReadOnlyList<string> HttpHeaderName(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? Fine
            : [RegexError("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")];

    /// <summary>The sentence for a value longer than <paramref name="max"/> bytes.</summary>
    public static string MaxLength(int max) => $"must be no more than {max} bytes";

    /// <summary>A rule, its examples and its regular expression, in Kubernetes' form.</summary>
    public static string RegexError(string rule, string regex, params ReadOnlySpan<string> examples)
    {
        var text = new StringBuilder(rule).Append(" (");
        for (var i = 0; i < examples.Length; i++)
            text.Append(i == 0 ? "e.g. '" : " or '").Append(examples[i]).Append("', ");
        return text.Append("regex used for validation is '").Append(regex).Append("')").ToString();
    }

    private static List<string> TooLong(string value, int max) => Utf8Length(value) > max ? [MaxLength(max)] : [];

    private static int Utf8Length(string value) => Encoding.UTF8.GetByteCount(value);

    private static bool IsLower(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9');

    private static bool IsLabel(ReadOnlySpan<char> value)
    {
        if (value.IsEmpty || !IsLower(value[0]) || !IsLower(value[^1]))
            return false;
        foreach (var c in value)
        {
            if (!IsLower(c) && c != '-')
                return false;
        }

        return true;
    }

    private static bool IsSubdomain(ReadOnlySpan<char> value)
    {
        while (true)
        {
            var dot = value.IndexOf('.');
            if (!IsLabel(dot < 0 ? value : value[..dot]))
                return false;
            if (dot < 0)
                return true;
            value = value[(dot + 1)..];
        }
    }

    private static bool IsUnderscoreLabel(string value)
    {
        var rest = value.StartsWith('_') ? value.AsSpan(1) : value;
        return !rest.IsEmpty && IsLower(rest[0]) && IsLower(rest[^1]) && value.All(c => IsLower(c) || c is '-' or '_');
    }

    private static bool IsKeyName(ReadOnlySpan<char> value)
    {
        if (value.Length == 0 || !char.IsAsciiLetterOrDigit(value[0]) || !char.IsAsciiLetterOrDigit(value[^1]))
            return false;
        foreach (var c in value)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }

        return true;
    }
}
