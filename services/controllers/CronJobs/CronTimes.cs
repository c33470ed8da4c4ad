using System.Globalization;
using Mesh.Api;

namespace Mesh.Controllers.CronJobs;

/// <summary>
/// The times of a cron schedule: five fields (minute hour day month weekday), the @words, or @every DURATION. Day and weekday, both
/// restricted, mean either; an hour that a change of clocks leaves out has no start that day, one that comes twice has one.
/// </summary>
internal sealed class CronTimes
{
    private const int YearsAhead = 8; // 29 February on a given weekday comes within
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    private readonly TimeZoneInfo _zone;
    private readonly TimeSpan? _every;
    private readonly ulong[] _fields = new ulong[5];
    private readonly bool _anyDay;
    private readonly bool _anyWeekday;

    private CronTimes(string text, TimeZoneInfo zone)
    {
        _zone = zone;
        if (text.StartsWith("@every ", StringComparison.Ordinal))
        {
            _every = Duration(text["@every ".Length..].Trim());
            return;
        }

        text = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var parts = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 5) throw new FormatException($"expected exactly 5 fields, found {parts.Length}: [{string.Join(' ', parts)}]");
        (int Low, int High)[] ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
        for (var i = 0; i < 5; i++) _fields[i] = Field(parts[i], ranges[i].Low, ranges[i].High, i switch { 3 => Months, 4 => Days, _ => [] });
        (_anyDay, _anyWeekday) = (parts[2][0] is '*' or '?', parts[4][0] is '*' or '?');
    }

    /// <summary>Reads a schedule. Throws FormatException for one that is none, TimeZoneNotFoundException for an unknown zone.</summary>
    internal static CronTimes Parse(string schedule, string? zone) =>
        new(schedule.Trim(), string.IsNullOrEmpty(zone) ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(zone));

    /// <summary>The zone the fields are read in.</summary>
    internal TimeZoneInfo Zone => _zone;

    /// <summary>The first time after this one (UTC); null when none comes.</summary>
    internal DateTime? Next(DateTime after)
    {
        if (_every is { } every) return new DateTime(after.Ticks - (after.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc) + every;
        var local = TimeZoneInfo.ConvertTimeFromUtc(after, _zone);
        var at = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0).AddMinutes(1);
        var end = at.AddYears(YearsAhead);
        while (at < end)
        {
            if (!Has(3, at.Month)) at = new DateTime(at.Year, at.Month, 1).AddMonths(1);
            else if (!IsDay(at)) at = at.Date.AddDays(1);
            else if (!Has(1, at.Hour)) at = at.Date.AddHours(at.Hour + 1);
            else if (!Has(0, at.Minute)) at = at.AddMinutes(1);
            else if (_zone.IsInvalidTime(at) || TimeZoneInfo.ConvertTimeToUtc(at, _zone) <= after) at = at.AddMinutes(1);
            else return TimeZoneInfo.ConvertTimeToUtc(at, _zone);
        }

        return null;
    }

    private bool Has(int field, int value) => (_fields[field] >> value & 1) != 0;

    private bool IsDay(DateTime at)
    {
        var (day, weekday) = (Has(2, at.Day), Has(4, (int)at.DayOfWeek));
        return _anyDay || _anyWeekday ? day && weekday : day || weekday;
    }

    private static ulong Field(string text, int low, int high, string[] names)
    {
        var bits = 0UL;
        foreach (var part in text.Split(','))
        {
            var step = part.Split('/');
            var ends = step[0].Split('-');
            var (from, to) = step[0] is "*" or "?" ? (low, high) : (Value(ends[0]), ends.Length > 1 ? Value(ends[1]) : step.Length > 1 ? high : Value(ends[0]));
            var by = step.Length > 1 ? Number(step[1]) : 1;
            if (from < low || to > high || from > to || by <= 0 || step.Length > 2 || ends.Length > 2) throw new FormatException("not a schedule: " + part);
            for (var i = from; i <= to; i += by) bits |= 1UL << i;
        }

        return bits;

        int Value(string word) => Array.IndexOf(names, word.ToLowerInvariant()) is var i and >= 0 ? i + low : Number(word);
    }

    private static int Number(string word) =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw new FormatException("not a number: " + word);

    /// <summary>At least a second, whole seconds.</summary>
    private static TimeSpan Duration(string text)
    {
        if (!GoDuration.TryParse(text, out var duration, out var error)) throw new FormatException(error);
        return TimeSpan.FromSeconds(Math.Max(1, duration.Nanoseconds / GoDuration.Second));
    }
}
