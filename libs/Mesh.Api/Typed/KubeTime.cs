using System.Globalization;

namespace Mesh.Api;

/// <summary>Times as Kubernetes writes them: RFC 3339 in UTC, whole seconds (metav1.Time) or six decimals (metav1.MicroTime).</summary>
public static class KubeTime
{
    /// <summary>metav1.Time, "2026-01-02T03:04:05Z".</summary>
    public static string Format(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>metav1.MicroTime, "2026-01-02T03:04:05.000006Z".</summary>
    public static string FormatMicro(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Reads RFC 3339 with any offset and up to nine decimals (more than seven are cut).</summary>
    public static bool TryParse(string text, out DateTime utc)
    {
        utc = default;
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
            return false;
        var end = 19;
        if (text[end] == '.')
        {
            end++;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
                end++;
            if (end == 20)
                return false;
        }

        var zone = text.AsSpan(end);
        if (!(zone is "Z" || (zone.Length == 6 && zone[0] is '+' or '-' && zone[3] == ':')))
            return false;
        var whole = end - 20 > 7 ? string.Concat(text.AsSpan(0, 27), zone) : text;
        if (!DateTimeOffset.TryParse(whole, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return false;
        utc = time.UtcDateTime;
        return true;
    }

    /// <summary>The instant cut to whole seconds, as metav1.Time keeps it.</summary>
    public static DateTime Truncate(DateTime utc) => new(utc.Ticks - (utc.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
}
