using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Gateway.Http;

/// <summary>
/// The path of a request as its sender wrote it, decoded. The server in front of us takes "." and ".." away before anybody sees them; to Kubernetes they are
/// segments like others (and name nothing).
/// </summary>
internal static class RequestPath
{
    /// <summary>The path with all its segments.</summary>
    public static string Of(HttpContext http)
    {
        var path = http.Request.Path.Value is { Length: > 0 } given ? given : "/";
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (!target.StartsWith('/')) return path;
        var end = target.IndexOf('?', StringComparison.Ordinal);
        var sent = Uri.UnescapeDataString(end < 0 ? target : target[..end]);
        return HasDots(sent) ? sent : path;
    }

    /// <summary>Whether a path that is of no resource can be one of ours: no segment but the last is empty, none is "." or "..".</summary>
    public static bool IsClean(string path) => !path.Contains("//", StringComparison.Ordinal) && !HasDots(path);

    private static bool HasDots(string path) =>
        path.Contains("/.", StringComparison.Ordinal) && (path.Contains("/./", StringComparison.Ordinal) || path.Contains("/../", StringComparison.Ordinal)
            || path.EndsWith("/.", StringComparison.Ordinal) || path.EndsWith("/..", StringComparison.Ordinal));
}
