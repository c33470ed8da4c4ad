using System.Text;
using System.Text.Json;

namespace Mesh.Security.Tokens;

/// <summary>Outcome of looking at a bearer token.</summary>
/// <param name="Claims">What it says, when good.</param>
/// <param name="IsOurs">Whether it is a token of this cluster at all; when false, another authenticator may know it.</param>
/// <param name="Error">Why it is refused, when it is ours but not good.</param>
public readonly record struct TokenVerification(ServiceAccountClaims? Claims, bool IsOurs, string? Error)
{
    internal static TokenVerification NotOurs => new(null, false, null);

    internal static TokenVerification Refused(string why) => new(null, true, why);
}

/// <summary>Checks signature, issuer, times and audience of service account tokens. Whether the bound objects still exist is the caller's to see.</summary>
public sealed class ServiceAccountTokenVerifier(string issuer, IReadOnlyList<SigningKey> keys, TimeProvider time)
{
    private const string LegacyIssuer = "kubernetes/serviceaccount";

    // A token issued by another machine a moment ago must not be refused for a clock that is a little behind.
    private static readonly TimeSpan Leeway = TimeSpan.FromMinutes(1);

    /// <summary>Looks at a token. Audiences: those that are acceptable, any one must be in the token.</summary>
    public TokenVerification Verify(string token, IReadOnlyCollection<string> audiences)
    {
        ArgumentNullException.ThrowIfNull(token);
        var first = token.IndexOf('.');
        var last = token.LastIndexOf('.');
        if (first <= 0 || last <= first + 1 || token.AsSpan(first + 1, last - first - 1).Contains('.')) return TokenVerification.NotOurs;
        if (!Base64Url.TryDecode(token.AsSpan(0, first), out var header)
            || !Base64Url.TryDecode(token.AsSpan(first + 1, last - first - 1), out var payload)
            || !Base64Url.TryDecode(token.AsSpan(last + 1), out var signature))
        {
            return TokenVerification.NotOurs;
        }

        try
        {
            using var head = JsonDocument.Parse(header);
            using var body = JsonDocument.Parse(payload);
            if (head.RootElement.ValueKind != JsonValueKind.Object || body.RootElement.ValueKind != JsonValueKind.Object) return TokenVerification.NotOurs;
            var iss = Text(body.RootElement, "iss");
            if (iss != issuer && iss != LegacyIssuer) return TokenVerification.NotOurs;
            if (!SignedByUs(Text(head.RootElement, "alg"), Text(head.RootElement, "kid"), token.AsSpan(0, last), signature))
            {
                return TokenVerification.Refused("signature is not valid");
            }

            return iss == LegacyIssuer ? Legacy(body.RootElement) : Bound(body.RootElement, audiences);
        }
        catch (JsonException)
        {
            return TokenVerification.NotOurs;
        }
    }

    private bool SignedByUs(string algorithm, string keyId, ReadOnlySpan<char> text, byte[] signature)
    {
        var data = new byte[text.Length];
        Encoding.ASCII.GetBytes(text, data);
        foreach (var key in keys)
        {
            // The algorithm is the key's, never the token's choice.
            if (key.Algorithm != algorithm || (keyId.Length > 0 && keyId != key.KeyId)) continue;
            if (key.Verify(data, signature)) return true;
        }

        return false;
    }

    private static TokenVerification Legacy(JsonElement body)
    {
        var ns = Text(body, "kubernetes.io/serviceaccount/namespace");
        var name = Text(body, "kubernetes.io/serviceaccount/service-account.name");
        var secret = Text(body, "kubernetes.io/serviceaccount/secret.name");
        if (ns.Length == 0 || name.Length == 0 || secret.Length == 0) return TokenVerification.Refused("token lacks its claims");
        return new TokenVerification(
            new ServiceAccountClaims
            {
                Namespace = ns,
                ServiceAccount = new BoundObject(name, Text(body, "kubernetes.io/serviceaccount/service-account.uid")),
                Secret = new BoundObject(secret, ""),
            },
            true,
            null);
    }

    private TokenVerification Bound(JsonElement body, IReadOnlyCollection<string> audiences)
    {
        var now = time.GetUtcNow();
        if (Time(body, "exp") is not { } expires) return TokenVerification.Refused("token lacks its claims");
        if (now > expires + Leeway) return TokenVerification.Refused("service account token has expired");
        if (Time(body, "nbf") is { } notBefore && now < notBefore - Leeway) return TokenVerification.Refused("service account token is not valid yet");
        var intended = Strings(body, "aud");
        if (!intended.Any(audiences.Contains))
        {
            return TokenVerification.Refused($"token audiences [{string.Join(' ', intended)}] is invalid for the target audiences [{string.Join(' ', audiences)}]");
        }

        if (!body.TryGetProperty("kubernetes.io", out var claims) || claims.ValueKind != JsonValueKind.Object
            || Text(claims, "namespace") is not { Length: > 0 } ns || Object(claims, "serviceaccount") is not { } account)
        {
            return TokenVerification.Refused("token lacks its claims");
        }

        if (Text(body, "sub") != UserNames.ServiceAccount(ns, account.Name)) return TokenVerification.Refused("subject and claims differ");
        return new TokenVerification(
            new ServiceAccountClaims
            {
                Namespace = ns,
                ServiceAccount = account,
                Pod = Object(claims, "pod"),
                Secret = Object(claims, "secret"),
                Node = Object(claims, "node"),
                Audiences = intended,
                IssuedAt = Time(body, "iat") ?? default,
                Expires = expires,
                WarnAfter = Time(claims, "warnafter"),
                TokenId = Text(body, "jti"),
            },
            true,
            null);
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static DateTimeOffset? Time(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds)
            && seconds is > -62135596800 and < 253402300799
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    private static List<string> Strings(JsonElement element, string name)
    {
        var list = new List<string>();
        if (!element.TryGetProperty(name, out var value)) return list;
        if (value.ValueKind == JsonValueKind.String) list.Add(value.GetString()!);
        if (value.ValueKind != JsonValueKind.Array) return list;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String) list.Add(item.GetString()!);
        }

        return list;
    }

    private static BoundObject? Object(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object && Text(value, "name") is { Length: > 0 } objectName
            ? new BoundObject(objectName, Text(value, "uid"))
            : null;
}
