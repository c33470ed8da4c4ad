using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mesh.Api.Codecs;

/// <summary>What a YAML scalar is: the YAML 1.1 rules of the library that Kubernetes uses (yes is true, 0644 is octal, 1_000 a number).</summary>
internal static partial class YamlScalars
{
    private const string Prefix = "tag:yaml.org,2002:";

    /// <summary>Writes the scalar as a JSON value.</summary>
    public static void Write(Utf8JsonWriter writer, YamlScalar scalar)
    {
        switch (Resolve(scalar))
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case BigInteger integer:
                writer.WriteRawValue(integer.ToString(CultureInfo.InvariantCulture), skipInputValidation: true);
                break;
            case double real:
                if (!double.IsFinite(real))
                    throw new DecodeException($"json: unsupported value: {(double.IsNaN(real) ? "NaN" : real > 0 ? "+Inf" : "-Inf")}");
                writer.WriteNumberValue(real);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
        }
    }

    /// <summary>A mapping's key as JSON writes it: true, 1 and 1.5 become their texts.</summary>
    public static string Key(YamlScalar scalar) => Resolve(scalar) switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        BigInteger integer => integer.ToString(CultureInfo.InvariantCulture),
        double real => real.ToString("R", CultureInfo.InvariantCulture),
        var text => (string)text,
    };

    /// <summary>Whether a plain scalar stays the text that it is.</summary>
    public static bool IsString(string text) => ResolvePlain(text) is string;

    private static object? Resolve(YamlScalar scalar)
    {
        var text = scalar.Value;
        switch (scalar.Tag)
        {
            case "":
                return scalar.IsPlain ? ResolvePlain(text) : text;
            case Prefix + "str":
                return text;
            case Prefix + "binary":
                return Binary(text);
            case Prefix + "float":
                return ResolvePlain(text) switch { BigInteger integer => (double)integer, var other => other };
            default:
                return ResolvePlain(text);
        }
    }

    private static object? ResolvePlain(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "y" or "Y" or "on" or "On" or "ON":
                return true;
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "n" or "N" or "off" or "Off" or "OFF":
                return false;
            case ".nan" or ".NaN" or ".NAN":
                return double.NaN;
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF":
                return double.PositiveInfinity;
            case "-.inf" or "-.Inf" or "-.INF":
                return double.NegativeInfinity;
        }

        // Only a digit, a sign or a dot can begin a number.
        if (!(char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.'))
            return text;
        var plain = text.Contains('_', StringComparison.Ordinal) ? text.Replace("_", "", StringComparison.Ordinal) : text;
        if (Integer(plain) is { } integer)
            return integer;
        return Float().IsMatch(plain) && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? real : text;
    }

    // Go's strconv.ParseInt with base 0; beyond 64 bits a number is a float.
    private static BigInteger? Integer(string text)
    {
        var negative = text[0] == '-';
        var digits = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        if (digits.IsEmpty)
            return null;
        BigInteger value;
        if (digits.Length > 2 && digits[0] == '0' && digits[1] is 'x' or 'X')
        {
            if (!BigInteger.TryParse(string.Concat("0", digits[2..]), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
                return null;
        }
        else if (digits.Length > 2 && digits[0] == '0' && digits[1] is 'b' or 'B')
        {
            return OfBase(digits[2..], 2, negative);
        }
        else if (digits.Length > 2 && digits[0] == '0' && digits[1] is 'o' or 'O')
        {
            return OfBase(digits[2..], 8, negative);
        }
        else if (digits.Length > 1 && digits[0] == '0')
        {
            return OfBase(digits[1..], 8, negative);
        }
        else if (digits.Length > 20 || !BigInteger.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            return null;
        }

        return Bounded(negative ? -value : value);
    }

    private static BigInteger? OfBase(ReadOnlySpan<char> digits, int radix, bool negative)
    {
        if (digits.Length > 64)
            return null;
        BigInteger value = 0;
        foreach (var c in digits)
        {
            var digit = c - '0';
            if (digit < 0 || digit >= radix)
                return null;
            value = (value * radix) + digit;
        }

        return Bounded(negative ? -value : value);
    }

    private static BigInteger? Bounded(BigInteger value) => value < long.MinValue || value > ulong.MaxValue ? null : value;

    private static string Binary(string text)
    {
        try
        {
            return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(text));
        }
        catch (FormatException e)
        {
            throw new DecodeException("yaml: !!binary value contains invalid base64 data", e);
        }
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Float();
}
