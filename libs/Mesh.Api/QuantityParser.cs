using System.Globalization;
using System.Numerics;

namespace Mesh.Api;

/// <summary>The grammar of quantities: sign, digits with one point, then a suffix or an exponent.</summary>
internal static class QuantityParser
{
    internal static readonly string[] BinarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    internal static readonly string[] DecimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

    private const string WrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    private const string WrongNumber = "unable to parse numeric part of quantity";
    private const string WrongSuffix = "unable to parse quantity's suffix";

    // A wire quantity longer than this is an attack, not an amount.
    private const int MaxExponent = 10_000;

    internal static bool TryParse(string? text, out Quantity value, out string? error)
    {
        value = default;
        error = null;
        if (string.IsNullOrEmpty(text))
        {
            error = WrongFormat;
            return false;
        }

        var pos = 0;
        var negative = text[0] == '-';
        if (text[0] is '-' or '+')
            pos = 1;

        var start = pos;
        while (pos < text.Length && (char.IsAsciiDigit(text[pos]) || text[pos] == '.'))
            pos++;
        var number = text.AsSpan(start, pos - start);
        var suffix = text.AsSpan(pos);

        if (number.IsEmpty || !IsSuffixShape(suffix))
            return Fail(WrongFormat, out error);
        if (number.Count('.') > 1 || number is ".")
            return Fail(WrongNumber, out error);
        if (!TrySuffix(suffix, out var radix, out var power, out var format))
            return Fail(WrongSuffix, out error);

        return TryScale(number, negative, radix, power, format, out value) || Fail(WrongNumber, out error);
    }

    private static bool Fail(string message, out string? error)
    {
        error = message;
        return false;
    }

    private static bool IsSuffixShape(ReadOnlySpan<char> suffix)
    {
        var i = 0;
        while (i < suffix.Length && "eEinumkKMGTP".Contains(suffix[i]))
            i++;
        if (i < suffix.Length && suffix[i] is '-' or '+')
            i++;
        while (i < suffix.Length && char.IsAsciiDigit(suffix[i]))
            i++;
        return i == suffix.Length;
    }

    private static bool TrySuffix(ReadOnlySpan<char> suffix, out int radix, out int power, out QuantityFormat format)
    {
        (radix, power, format) = (10, 0, QuantityFormat.DecimalSI);
        if (suffix.IsEmpty)
            return true;

        for (var i = 1; i < BinarySuffixes.Length; i++)
        {
            if (suffix.SequenceEqual(BinarySuffixes[i]))
            {
                (radix, power, format) = (2, i * 10, QuantityFormat.BinarySI);
                return true;
            }
        }

        for (var i = 0; i < DecimalSuffixes.Length; i++)
        {
            if (suffix.SequenceEqual(DecimalSuffixes[i]))
            {
                power = (i * 3) - 9;
                return true;
            }
        }

        format = QuantityFormat.DecimalExponent;
        return suffix.Length > 1 && suffix[0] is 'e' or 'E'
            && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power)
            && Math.Abs(power) <= MaxExponent;
    }

    private static bool TryScale(ReadOnlySpan<char> number, bool negative, int radix, int power, QuantityFormat format, out Quantity value)
    {
        value = default;
        var point = number.IndexOf('.');
        var fractionDigits = point < 0 ? 0 : number.Length - point - 1;
        Span<char> digits = number.Length <= 256 ? stackalloc char[number.Length] : new char[number.Length];
        var length = 0;
        foreach (var c in number)
        {
            if (c != '.')
                digits[length++] = c;
        }

        if (!BigInteger.TryParse(digits[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var mantissa))
            return false;
        if (mantissa.IsZero)
        {
            value = Quantity.FromNanos(0, format);
            return true;
        }

        // nanos = mantissa × radix^power × 10^(9 - fraction digits), rounded away from zero.
        var tens = 9 - fractionDigits + (radix == 10 ? power : 0);
        if (radix == 2)
            mantissa <<= power;
        if (tens >= 0)
        {
            mantissa *= BigInteger.Pow(10, Math.Min(tens, 64));
        }
        else
        {
            mantissa = BigInteger.DivRem(mantissa, BigInteger.Pow(10, -tens), out var rest);
            if (!rest.IsZero)
                mantissa += 1;
        }

        var nanos = mantissa.GetBitLength() > 120 ? Int128.MaxValue : (Int128)mantissa;
        value = Quantity.Capped(negative ? -nanos : nanos, format);
        return true;
    }
}
