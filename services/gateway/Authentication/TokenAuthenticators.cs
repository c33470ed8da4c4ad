using System.Text;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Mesh.Security.Tokens;

namespace Mesh.Gateway.Authentication;

/// <summary>Tokens of a token file and of services in this process.</summary>
internal sealed class StaticTokenAuthenticator(StaticTokens tokens) : ITokenAuthenticator
{
    /// <inheritdoc/>
    public ValueTask<UserInfo?> AuthenticateAsync(string token, CancellationToken ct) => new(tokens.Find(token));
}

/// <summary>Bootstrap tokens: secrets <c>bootstrap-token-ID</c> in kube-system.</summary>
internal sealed class BootstrapTokenAuthenticator(IObjectReader objects, TimeProvider time) : ITokenAuthenticator
{
    /// <inheritdoc/>
    public async ValueTask<UserInfo?> AuthenticateAsync(string token, CancellationToken ct)
    {
        if (!BootstrapToken.TryParse(token, out var bootstrap)) return null;
        var secret = await objects.GetAsync(RbacResources.Secrets, "kube-system", bootstrap.SecretName, ct);
        if (secret is null || secret.Text("metadata", "deletionTimestamp").Length > 0) return null;
        var data = new Dictionary<string, string>();
        foreach (var (key, value) in secret.At("data") as System.Text.Json.Nodes.JsonObject ?? [])
        {
            var buffer = new byte[value.Text().Length];
            if (Convert.TryFromBase64String(value.Text(), buffer, out var length)) data[key] = Encoding.UTF8.GetString(buffer, 0, length);
        }

        return bootstrap.WhyRefused(secret.Text("type"), data, time.GetUtcNow(), out var groups) is null
            ? new UserInfo(UserNames.BootstrapPrefix + bootstrap.Id, "", groups)
            : null;
    }
}
