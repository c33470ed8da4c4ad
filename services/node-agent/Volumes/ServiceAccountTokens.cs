using System.Collections.Concurrent;
using System.Security.Cryptography;
using Mesh.Api;
using Mesh.Api.Authentication.V1;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Volumes;

/// <summary>Bound service account tokens of pods, asked for once and again before they end (KEP-1205: at 80 % of their life, at most a day).</summary>
internal sealed class ServiceAccountTokens(IKubeClient client, TimeProvider time)
{
    private const long DefaultSeconds = 3600;
    private static readonly TimeSpan LongestUse = TimeSpan.FromHours(24);
    private readonly ConcurrentDictionary<string, Held> held = new();

    public async Task<string> GetAsync(Pod pod, string? audience, long? seconds, CancellationToken ct)
    {
        var account = pod.Spec?.ServiceAccountName is { Length: > 0 } name ? name : "default";
        var lifetime = seconds ?? DefaultSeconds;
        var key = $"{pod.Uid()}/{account}/{audience}/{lifetime}";
        var now = time.GetUtcNow();
        if (held.TryGetValue(key, out var token) && now < token.RenewAt)
            return token.Text;
        var request = new TokenRequest
        {
            Spec = new TokenRequestSpec
            {
                Audiences = audience is { Length: > 0 } ? [audience] : null,
                ExpirationSeconds = lifetime,
                BoundObjectRef = new BoundObjectReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Metadata.Name, Uid = pod.Uid() },
            },
        };
        try
        {
            var answer = await client.CreateSubresourceAsync<ServiceAccount>(pod.Metadata.Namespace, account, "token", KubeJson.Serialize(request), ct);
            var status = KubeJson.Deserialize<TokenRequest>(answer).Status;
            var text = status?.Token ?? throw new VolumeException($"no token was given for service account {account}");
            var ends = status.ExpirationTimestamp is { } at ? new DateTimeOffset(at, TimeSpan.Zero) : now.AddSeconds(lifetime);
            held[key] = new Held(text, RenewAt(now, ends));
            return text;
        }
        catch (ApiException) when (token is not null && now < token.RenewAt + TimeSpan.FromMinutes(10))
        {
            // The old token still works for a while; the next refresh tries again.
            return token.Text;
        }
    }

    /// <summary>Forgets the tokens of a pod that is gone.</summary>
    public void Forget(string podUid)
    {
        foreach (var key in held.Keys.Where(k => k.StartsWith(podUid + "/", StringComparison.Ordinal)))
            held.TryRemove(key, out _);
    }

    private static DateTimeOffset RenewAt(DateTimeOffset now, DateTimeOffset ends)
    {
        var use = (ends - now) * 0.8;
        // A little jitter, so that a node's tokens are not renewed at one instant.
        var jitter = TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32(0, 10));
        return now + (use < LongestUse ? use : LongestUse) - jitter;
    }

    private sealed record Held(string Text, DateTimeOffset RenewAt);
}
