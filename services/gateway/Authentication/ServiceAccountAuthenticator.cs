using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Authentication;

/// <summary>
/// Service account tokens. The signature is checked once a token; whether the service account, pod, secret and node it is bound to
/// still exist is checked at every request, from the watch cache.
/// </summary>
internal sealed class ServiceAccountAuthenticator(
    SharedTokenVerifier verifier, IReadOnlyList<string> apiAudiences, IObjectReader objects, TimeProvider time) : ITokenAuthenticator
{
    private const int MaxRemembered = 16384;
    private static readonly TimeSpan Leeway = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Verified> _verified = new();

    /// <inheritdoc/>
    public async ValueTask<UserInfo?> AuthenticateAsync(string token, CancellationToken ct)
    {
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (!_verified.TryGetValue(key, out var known) || (known.Claims.Expires is { } end && time.GetUtcNow() > end + Leeway))
        {
            if ((await verifier.VerifyAsync(token, apiAudiences, ct)).Claims is not { } claims) return null;
            known = new Verified(claims, claims.ToUser());
            if (_verified.Count >= MaxRemembered) _verified.Clear();
            _verified[key] = known;
        }

        return await WhyInvalidAsync(objects, known.Claims, time.GetUtcNow(), ct) is null ? known.User : null;
    }

    /// <summary>Null while everything the token is bound to is there, else what is not.</summary>
    internal static async ValueTask<string?> WhyInvalidAsync(IObjectReader objects, ServiceAccountClaims claims, DateTimeOffset now, CancellationToken ct)
    {
        var account = claims.ServiceAccount;
        if (await FindAsync(RbacResources.ServiceAccounts, claims.Namespace, account) is not { } stored) return "service account has been deleted";
        if (stored.Uid() != account.Uid) return "service account UID does not match claim";
        if (claims.Pod is { } pod)
        {
            var found = await FindAsync(RbacResources.Pods, claims.Namespace, pod);
            if (found is null || found.Uid() != pod.Uid) return "pod of the token is gone";
            if (IsOver(found, now)) return "pod of the token has been deleted";
        }

        if (claims.Secret is { } secret)
        {
            var found = await FindAsync(RbacResources.Secrets, claims.Namespace, secret);
            if (found is null || (secret.Uid.Length > 0 && found.Uid() != secret.Uid)) return "secret of the token is gone";
        }

        // A node named beside a pod only says where the pod ran; a token bound to the node itself ends with it.
        if (claims.Node is { } node && claims.Pod is null && (await FindAsync(RbacResources.Nodes, null, node))?.Uid() != node.Uid) return "node of the token is gone";
        return null;

        // What the cache does not know yet may be newer than the cache.
        async ValueTask<JsonObject?> FindAsync(ApiResource resource, string? ns, BoundObject wanted)
        {
            var found = await objects.GetAsync(resource, ns, wanted.Name, ct);
            return found is not null && (wanted.Uid.Length == 0 || found.Uid() == wanted.Uid) ? found : await objects.GetFreshAsync(resource, ns, wanted.Name, ct);
        }
    }

    // A deleted pod keeps its token for its grace period and a minute.
    private static bool IsOver(JsonObject bound, DateTimeOffset now) =>
        bound.Text("metadata", "deletionTimestamp") is { Length: > 0 } text && DateTimeOffset.TryParse(text, out var deleted) && now > deleted + Leeway;

    private sealed record Verified(ServiceAccountClaims Claims, UserInfo User);
}
