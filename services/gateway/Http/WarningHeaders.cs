using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Warning: 299 headers (RFC 7234 §5.5), at most 4 KiB of them, each at most 256 characters when that is exceeded.</summary>
internal static class WarningHeaders
{
    private const int Budget = 4096;
    private const int Short = 256;

    /// <summary>Adds each different warning once.</summary>
    public static void Add(HttpResponse response, IEnumerable<string> warnings)
    {
        var all = warnings.Distinct(StringComparer.Ordinal).ToArray();
        var cut = all.Sum(static w => w.Length) > Budget;
        var used = 0;
        foreach (var warning in all)
        {
            var text = Clean(cut && warning.Length > Short ? warning[..Short] : warning);
            if (used + text.Length > Budget) return;
            used += text.Length;
            response.Headers.Append("Warning", $"299 - \"{text}\"");
        }
    }

    private static string Clean(string text)
    {
        var characters = text.Select(static c => c is >= ' ' and < (char)127 ? c.ToString() : " ");
        return string.Concat(characters).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
    }
}
