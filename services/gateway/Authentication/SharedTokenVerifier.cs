using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mesh.Caching;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Authentication;

/// <summary>
/// Service account tokens whose signature some gateway has checked already. Only good ones are shared, and only what they say: whether what they are
/// bound to still exists is asked at each use.
/// </summary>
internal sealed class SharedTokenVerifier(ServiceAccountTokenVerifier verifier, SigningKey key, ISharedCache cache, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly SharedAnswers<ServiceAccountClaims> answers = new(
        "token", cache, Lifetime, static claims => JsonSerializer.SerializeToUtf8Bytes(claims, ClaimsJson.Default.ServiceAccountClaims), Read, time);

    /// <summary>As <see cref="ServiceAccountTokenVerifier.Verify"/>.</summary>
    public async ValueTask<TokenVerification> VerifyAsync(string token, IReadOnlyList<string> audiences, CancellationToken ct)
    {
        var question = new Question(this, token, audiences);
        var claims = await answers.GetAsync(question, static q => q.Key(), static (q, _) => new(q.Verify()), static c => c.Expires, ct);
        return claims is null ? question.Outcome : new TokenVerification(claims, true, null);
    }

    private static ServiceAccountClaims? Read(byte[] bytes)
    {
        try
        {
            return JsonSerializer.Deserialize(bytes, ClaimsJson.Default.ServiceAccountClaims);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class Question(SharedTokenVerifier owner, string token, IReadOnlyList<string> audiences)
    {
        /// <summary>What the verifier said, when it was asked.</summary>
        public TokenVerification Outcome { get; private set; }

        public ServiceAccountClaims? Verify() => (Outcome = owner.Verify(token, audiences)).Claims;

        // The token is in the key as a hash: a key may be written to a log.
        public string Key() => SharedKey.Of([owner.KeyId, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token))), .. audiences]);
    }

    private string KeyId => key.KeyId;

    private TokenVerification Verify(string token, IReadOnlyList<string> audiences) => verifier.Verify(token, audiences);
}

/// <summary>Claims as JSON, without reflection.</summary>
[JsonSerializable(typeof(ServiceAccountClaims))]
internal sealed partial class ClaimsJson : JsonSerializerContext;
