using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Mesh.Api;

/// <summary>A length of time as Go counts it (time.Duration): nanoseconds in 64 bits, some 292 years either way.</summary>
/// <param name="Nanoseconds">The length; negative: back.</param>
public readonly record struct GoDuration(long Nanoseconds)
{
    /// <summary>Nanoseconds of a second.</summary>
    public const long Second = 1_000_000_000;

    private const ulong Limit = 1UL << 63; // of nanoseconds before the sign; only a negative duration reaches it

    private static readonly SearchValues<char> NumberStart = SearchValues.Create(".0123456789");

    /// <summary>The same in .NET's ticks of 100 ns, rounded away from zero: what is not zero stays so.</summary>
    public TimeSpan ToTimeSpan()
    {
        var (ticks, rest) = Math.DivRem(Nanoseconds, (long)TimeSpan.NanosecondsPerTick);
        return TimeSpan.FromTicks(ticks + Math.Sign(rest));
    }

    /// <summary>Reads what time.ParseDuration reads: an optional sign, then decimal numbers each with its unit ("1h30m", "-1.5s", "250ms"), or a bare 0.</summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The duration, zero when it is none.</param>
    /// <param name="error">What Go says of a text that is none: "time: unknown unit "d" in duration "1d"".</param>
    public static bool TryParse(string text, out GoDuration value, [NotNullWhen(false)] out string? error)
    {
        value = default;
        error = Read(text, out var length, out var negative);
        if (error is not null) return false;
        value = new GoDuration(negative ? unchecked(-(long)length) : (long)length);
        return true;
    }

    private static string? Read(string text, out ulong length, out bool negative)
    {
        length = 0;
        var rest = text.AsSpan();
        negative = rest is ['-', ..];
        if (rest is ['-' or '+', ..]) rest = rest[1..];
        if (rest is "0") return null;
        if (rest.IsEmpty) return Invalid(text);
        while (!rest.IsEmpty)
        {
            if (!Number(ref rest, out var whole, out var fraction, out var scale)) return Invalid(text);
            var end = rest.IndexOfAny(NumberStart);
            var unit = end < 0 ? rest : rest[..end];
            if (unit.IsEmpty) return "time: missing unit in duration " + Quote(text);
            if (NanosecondsOf(unit) is not { } size) return $"time: unknown unit {Quote(unit)} in duration {Quote(text)}";
            if (whole > Limit / size) return Invalid(text);
            length += (whole * size) + (ulong)(fraction * (size / scale));
            if (length > Limit) return Invalid(text);
            rest = rest[unit.Length..];
        }

        return length == Limit && !negative ? Invalid(text) : null;
    }

    /// <summary>Digits, a point, digits: one of the digits may be missing on either side. False when both are, or when the whole is too large.</summary>
    private static bool Number(ref ReadOnlySpan<char> rest, out ulong whole, out double fraction, out double scale)
    {
        (whole, fraction, scale) = (0, 0, 1);
        var digits = Digits(rest);
        var wholeText = rest[..digits];
        rest = rest[digits..];
        if (digits > 0 && (!ulong.TryParse(wholeText, NumberStyles.None, CultureInfo.InvariantCulture, out whole) || whole > Limit)) return false;
        if (rest is not ['.', ..]) return digits > 0;
        rest = rest[1..];
        var decimals = Digits(rest);
        // As many decimals as fit into 63 bits are looked at: more would not change a nanosecond.
        var sum = 0UL;
        foreach (var c in rest[..decimals])
        {
            var next = (sum * 10) + (ulong)(c - '0');
            if (sum > (Limit - 1) / 10 || next > Limit) break;
            sum = next;
            scale *= 10;
        }

        fraction = sum;
        rest = rest[decimals..];
        return digits + decimals > 0;
    }

    private static int Digits(ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') is var end and >= 0 ? end : text.Length;

    private static ulong? NanosecondsOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 1,
        "us" or "\u00b5s" or "\u03bcs" => 1_000, // the sign for micro and the Greek letter
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => null,
    };

    private static string Invalid(string text) => "time: invalid duration " + Quote(text);

    /// <summary>Quotes as package time does, which has an own way: whatever is not printable ASCII is told byte by byte.</summary>
    private static string Quote(ReadOnlySpan<char> text)
    {
        var builder = new StringBuilder(text.Length + 2).Append('"');
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is >= ' ' and < 0x80)
            {
                if (rune.Value is '"' or '\\') builder.Append('\\');
                builder.Append((char)rune.Value);
                continue;
            }

            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)]) builder.Append("\\x").Append(b.ToString("x2", CultureInfo.InvariantCulture));
        }

        return builder.Append('"').ToString();
    }
}
