using System.Text;
using System.Text.Json;

namespace Mesh.Security.Tokens;

/// <summary>Signs service account tokens (JWT, KEP-1205 claims).</summary>
/// <param name="issuer">Value of <c>iss</c>: the cluster's issuer URL.</param>
/// <param name="key">Private key.</param>
/// <param name="time">Clock.</param>
public sealed class ServiceAccountTokenIssuer(string issuer, SigningKey key, TimeProvider time)
{
    /// <summary>Life of a token when the request says none, in seconds.</summary>
    public const long DefaultSeconds = 3600;

    /// <summary>Shortest life that may be asked for, in seconds.</summary>
    public const long MinSeconds = 600;

    /// <summary>Longest life that may be asked for, in seconds (2^32).</summary>
    public const long MaxSeconds = 1L << 32;

    /// <summary>
    /// Life that admission asks for in pods, in seconds. A token of just this life for the API itself really lives a year and warns
    /// after the asked time, so that clients which read their token only once go on working (service-account-extend-token-expiration).
    /// </summary>
    public const long PodSeconds = 3607;

    private static readonly TimeSpan Extended = TimeSpan.FromDays(365);

    /// <summary>The issuer URL; also the audience of tokens for the API server.</summary>
    public string Issuer { get; } = issuer;

    /// <summary>
    /// Signs a token. Namespace, objects and audiences come from the claims (no audiences: the API's own); times and id are filled in.
    /// Answers the token and the expiry to report.
    /// </summary>
    public (string Token, DateTimeOffset Expires) Issue(ServiceAccountClaims claims, long seconds)
    {
        ArgumentNullException.ThrowIfNull(claims);
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var audiences = claims.Audiences.Count == 0 ? [Issuer] : claims.Audiences;
        var reported = now.AddSeconds(seconds);
        var extend = seconds == PodSeconds && claims.Pod is not null && audiences.Count == 1 && audiences[0] == Issuer;
        var full = claims with
        {
            Audiences = audiences,
            IssuedAt = now,
            Expires = extend ? now + Extended : reported,
            WarnAfter = extend ? reported : null,
            TokenId = Guid.NewGuid().ToString(),
        };
        return (Sign(Payload(full)), reported);
    }

    /// <summary>Signs a token of the old kind for a secret of type <c>kubernetes.io/service-account-token</c>; it does not expire.</summary>
    public string IssueLegacy(string ns, BoundObject account, string secretName) => Sign(Json(writer =>
    {
        writer.WriteString("iss", "kubernetes/serviceaccount");
        writer.WriteString("kubernetes.io/serviceaccount/namespace", ns);
        writer.WriteString("kubernetes.io/serviceaccount/secret.name", secretName);
        writer.WriteString("kubernetes.io/serviceaccount/service-account.name", account.Name);
        writer.WriteString("kubernetes.io/serviceaccount/service-account.uid", account.Uid);
        writer.WriteString("sub", UserNames.ServiceAccount(ns, account.Name));
    }));

    private string Sign(byte[] payload)
    {
        var header = Json(writer =>
        {
            writer.WriteString("alg", key.Algorithm);
            writer.WriteString("kid", key.KeyId);
        });
        var text = $"{Base64Url.Encode(header)}.{Base64Url.Encode(payload)}";
        return $"{text}.{Base64Url.Encode(key.Sign(Encoding.ASCII.GetBytes(text)))}";
    }

    private byte[] Payload(ServiceAccountClaims claims) => Json(writer =>
    {
        writer.WriteStartArray("aud");
        foreach (var audience in claims.Audiences) writer.WriteStringValue(audience);
        writer.WriteEndArray();
        writer.WriteNumber("exp", claims.Expires!.Value.ToUnixTimeSeconds());
        writer.WriteNumber("iat", claims.IssuedAt.ToUnixTimeSeconds());
        writer.WriteString("iss", Issuer);
        writer.WriteString("jti", claims.TokenId);
        writer.WriteStartObject("kubernetes.io");
        writer.WriteString("namespace", claims.Namespace);
        Bound(writer, "node", claims.Node);
        Bound(writer, "pod", claims.Pod);
        Bound(writer, "secret", claims.Secret);
        Bound(writer, "serviceaccount", claims.ServiceAccount);
        if (claims.WarnAfter is { } warn) writer.WriteNumber("warnafter", warn.ToUnixTimeSeconds());
        writer.WriteEndObject();
        writer.WriteNumber("nbf", claims.IssuedAt.ToUnixTimeSeconds());
        writer.WriteString("sub", UserNames.ServiceAccount(claims.Namespace, claims.ServiceAccount.Name));
    });

    private static void Bound(Utf8JsonWriter writer, string name, BoundObject? bound)
    {
        if (bound is not { } value) return;
        writer.WriteStartObject(name);
        writer.WriteString("name", value.Name);
        if (value.Uid.Length > 0) writer.WriteString("uid", value.Uid);
        writer.WriteEndObject();
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
