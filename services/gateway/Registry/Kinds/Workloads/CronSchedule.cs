using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Syntax of cron schedules: five fields (minute hour day month weekday) of *, numbers, names, ranges, steps and lists, or @words.</summary>
internal static class CronSchedule
{
    private static readonly string[] Words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    private static readonly (int Low, int High)[] Ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

    /// <summary>What is wrong with the text, or null.</summary>
    public static string? Error(string text)
    {
        // A time zone may stand in front; whether it is allowed there is another rule.
        if (text.StartsWith("TZ=", StringComparison.Ordinal) || text.StartsWith("CRON_TZ=", StringComparison.Ordinal))
        {
            var zone = text.IndexOf(' ');
            if (zone < 0)
                return $"provided bad location {text[(text.IndexOf('=') + 1)..]}: unknown time zone {text[(text.IndexOf('=') + 1)..]}";
            text = text[zone..].Trim();
        }

        if (text.StartsWith("@every ", StringComparison.Ordinal))
            return GoDuration.TryParse(text["@every ".Length..], out _, out var bad) ? null : $"failed to parse duration {text}: {bad}";
        if (text.StartsWith('@'))
            return Words.Contains(text) ? null : $"unrecognized descriptor: {text}";
        var fields = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != Ranges.Length)
            return $"expected exactly 5 fields, found {fields.Length}: [{string.Join(' ', fields)}]";
        for (var i = 0; i < fields.Length; i++)
        {
            foreach (var part in fields[i].Split(','))
            {
                if (PartError(part, i) is { } error)
                    return error;
            }
        }

        return null;
    }

    private static string? PartError(string part, int field)
    {
        var (low, high) = Ranges[field];
        var step = part.Split('/');
        if (step.Length > 2)
            return $"too many slashes: {part}";
        if (step.Length == 2 && (!int.TryParse(step[1], out var every) || every <= 0))
            return $"step of range should be a positive number: {part}";
        if (step[0] is "*" or "?")
            return null;
        var ends = step[0].Split('-');
        if (ends.Length > 2)
            return $"too many hyphens: {part}";
        if (!Value(ends[0], field, out var from))
            return $"failed to parse int from {ends[0]}: strconv.Atoi: parsing \"{ends[0]}\": invalid syntax";
        var to = from;
        if (ends.Length == 2 && !Value(ends[1], field, out to))
            return $"failed to parse int from {ends[1]}: strconv.Atoi: parsing \"{ends[1]}\": invalid syntax";
        if (from < low)
            return $"beginning of range ({from}) below minimum ({low}): {part}";
        if (to > high)
            return $"end of range ({to}) above maximum ({high}): {part}";
        return from > to ? $"beginning of range ({from}) beyond end of range ({to}): {part}" : null;
    }

    private static bool Value(string text, int field, out int value)
    {
        var names = field switch { 3 => Months, 4 => Days, _ => [] };
        value = Array.IndexOf(names, text.ToLowerInvariant());
        if (value >= 0)
        {
            value += field == 3 ? 1 : 0;
            return true;
        }

        return int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out value);
    }
}
