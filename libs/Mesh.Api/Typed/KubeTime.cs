using System.Globalization;

namespace Mesh.Api;

/// <summary>Times as Kubernetes writes them: RFC 3339 in UTC, whole seconds (metav1.Time) or six decimals (metav1.MicroTime).</summary>
public static class KubeTime
{
    /// <summary>metav1.Time, "2026-01-02T03:04:05Z".</summary>
    public static string Format(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>metav1.MicroTime, "2026-01-02T03:04:05.000006Z".</summary>
    public static string FormatMicro(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The instant cut to whole seconds, as metav1.Time keeps it.</summary>
    public static DateTime Truncate(DateTime utc) => new(utc.Ticks - (utc.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
}
