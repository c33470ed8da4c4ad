using Mesh.Gateway.Authentication;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>What a request shows about its sender.</summary>
internal static class CredentialsOf
{
    private const string Scheme = "Bearer ";
    private const string WebSocketTokenPrefix = "base64url.bearer.authorization.k8s.io.";

    /// <summary>Token and certificate.</summary>
    public static Credentials Request(HttpContext http) => new(Token(http), http.Connection.ClientCertificate, name => http.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null);

    /// <summary>All headers, in the shape impersonation reads.</summary>
    public static IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> Headers(HttpContext http)
    {
        foreach (var (name, values) in http.Request.Headers)
        {
            if (name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)) yield return new(name, [.. values.Select(static v => v ?? "")]);
        }
    }

    private static string? Token(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return header[Scheme.Length..].Trim();
        // Browsers cannot set headers on WebSockets: the token comes as a subprotocol.
        foreach (var protocol in http.Request.Headers.SecWebSocketProtocol.ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            if (!protocol.StartsWith(WebSocketTokenPrefix, StringComparison.Ordinal)) continue;
            var text = protocol[WebSocketTokenPrefix.Length..].Replace('-', '+').Replace('_', '/');
            var buffer = new byte[text.Length];
            if (Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), buffer, out var length)) return System.Text.Encoding.UTF8.GetString(buffer, 0, length);
        }

        return null;
    }
}
