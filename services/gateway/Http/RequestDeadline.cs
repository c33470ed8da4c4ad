using System.Buffers;
using System.Globalization;
using Mesh.Api;

namespace Mesh.Gateway.Http;

/// <summary>How long a request may take: what its "timeout" parameter says, but never longer than the server allows.</summary>
internal static class RequestDeadline
{
    /// <summary>Of requests that say nothing, zero, or more than this.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(60);

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    private const string Invalid = "invalid timeout specified in the request URL - ";

    /// <summary>The time a request gets; text: its parameter, "" when absent.</summary>
    /// <exception cref="ApiException">400 when it is no duration.</exception>
    public static TimeSpan Of(string text)
    {
        if (text.Length == 0) return Most;
        var asked = Parse(text);
        return asked > TimeSpan.Zero && asked < Most ? asked : Most;
    }

    /// <summary>A duration as Go reads it: decimal numbers, each with its unit ("1m30.5s", "250ms").</summary>
    private static TimeSpan Parse(string text)
    {
        var rest = text.AsSpan();
        var negative = rest[0] == '-';
        if (rest[0] is '-' or '+') rest = rest[1..];
        if (rest is "0") return TimeSpan.Zero;
        if (rest.IsEmpty) throw Refuse($"time: invalid duration {GoText.Quote(text)}");
        var seconds = 0.0;
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOfAnyExcept(Digits);
            var number = length < 0 ? rest : rest[..length];
            if (number.Count('.') > 1 || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
                throw Refuse($"time: invalid duration {GoText.Quote(text)}");
            rest = rest[number.Length..];
            var end = rest.IndexOfAny(Digits);
            var unit = (end < 0 ? rest : rest[..end]).ToString();
            if (unit.Length == 0) throw Refuse($"time: missing unit in duration {GoText.Quote(text)}");
            seconds += amount * unit switch
            {
                "h" => 3600,
                "m" => 60,
                "s" => 1,
                "ms" => 1e-3,
                "us" or "µs" or "μs" => 1e-6,
                "ns" => 1e-9,
                _ => throw Refuse($"time: unknown unit {GoText.Quote(unit)} in duration {GoText.Quote(text)}"),
            };
            rest = rest[unit.Length..];
        }

        // Go counts nanoseconds in 63 bits; we count in ticks, of which the shortest wait is one.
        if (seconds > long.MaxValue * 1e-9) throw Refuse($"time: invalid duration {GoText.Quote(text)}");
        var ticks = Math.Max((long)(seconds * TimeSpan.TicksPerSecond), seconds > 0 ? 1 : 0);
        return TimeSpan.FromTicks(negative ? -ticks : ticks);
    }

    private static ApiException Refuse(string why) => new(Statuses.BadRequest(Invalid + why));
}
