using Mesh.Security;
using Mesh.Security.Pki;

namespace Mesh.Gateway.Authentication;

/// <summary>Something that may know the holder of a bearer token.</summary>
internal interface ITokenAuthenticator
{
    /// <summary>The user; null when it does not know the token or refuses it.</summary>
    ValueTask<UserInfo?> AuthenticateAsync(string token, CancellationToken ct);
}

/// <summary>
/// Client certificate first, then the bearer token, then anonymous. Every known user is in system:authenticated.
/// A bad token is a 401 even where an anonymous request would be served.
/// </summary>
internal sealed class AuthenticatorChain(ClientCertificateVerifier? certificates, IReadOnlyList<ITokenAuthenticator> tokens, bool anonymous) : IAuthenticator
{
    // One UserInfo for one certificate, so that decisions remembered for it are found again.
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<UserInfo, UserInfo> _authenticated = [];

    /// <inheritdoc/>
    public async ValueTask<UserInfo?> AuthenticateAsync(Credentials credentials, CancellationToken ct)
    {
        if (credentials.ClientCertificate is { } certificate && certificates?.Verify(certificate) is { } subject) return Authenticated(subject);
        if (credentials.BearerToken is { Length: > 0 } token)
        {
            for (var i = 0; i < tokens.Count; i++)
            {
                if (await tokens[i].AuthenticateAsync(token, ct) is { } user) return Authenticated(user);
            }

            return null;
        }

        // A certificate that no authority of ours signed is no certificate: browsers and balancers show such.
        return anonymous ? UserInfo.Anonymous : null;
    }

    private UserInfo Authenticated(UserInfo user) =>
        user.InGroup(UserNames.Authenticated) || user.Name == UserNames.Anonymous
            ? user
            : _authenticated.GetValue(user, static u => u.WithGroup(UserNames.Authenticated));
}
