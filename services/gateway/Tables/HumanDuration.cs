using System.Globalization;

namespace Mesh.Gateway.Tables;

/// <summary>Durations as kubectl prints them: two units at most, fewer as time goes by (5m3s, 179m, 7h59m, 3d4h, 2y30d).</summary>
internal static class HumanDuration
{
    /// <summary>The text of a duration; a little before zero is clock skew, more is invalid.</summary>
    public static string Text(TimeSpan duration)
    {
        var seconds = (long)duration.TotalSeconds;
        if (seconds < -1)
            return "<invalid>";
        if (seconds < 0)
            return "0s";
        if (seconds < 60 * 2)
            return Join(seconds, "s");
        var minutes = seconds / 60;
        if (minutes < 10)
            return Join(minutes, "m", seconds % 60, "s");
        if (minutes < 60 * 3)
            return Join(minutes, "m");
        var hours = minutes / 60;
        if (hours < 8)
            return Join(hours, "h", minutes % 60, "m");
        if (hours < 48)
            return Join(hours, "h");
        if (hours < 24 * 8)
            return Join(hours / 24, "d", hours % 24, "h");
        var days = hours / 24;
        if (days < 365 * 2)
            return Join(days, "d");
        return days < 365 * 8 ? Join(days / 365, "y", days % 365, "d") : Join(days / 365, "y");
    }

    /// <summary>Time since an RFC 3339 time; "&lt;unknown&gt;" when there is none.</summary>
    public static string Since(string time, DateTimeOffset now) => Parse(time) is { } then ? Text(now - then) : "<unknown>";

    /// <summary>An RFC 3339 time, or null.</summary>
    public static DateTimeOffset? Parse(string time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then) ? then : null;

    private static string Join(long value, string unit, long rest = 0, string restUnit = "") =>
        rest == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value}{unit}") : string.Create(CultureInfo.InvariantCulture, $"{value}{unit}{rest}{restUnit}");
}
