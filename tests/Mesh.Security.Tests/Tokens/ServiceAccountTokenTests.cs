using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Security.Tokens;

namespace Mesh.Security.Tests.Tokens;

public sealed class ServiceAccountTokenTests : IDisposable
{
    private const string Issuer = "https://kubernetes.default.svc.cluster.local";
    private readonly FixedTime _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly SigningKey _key = SigningKey.Create();
    private readonly ServiceAccountTokenIssuer _issuer;
    private readonly ServiceAccountTokenVerifier _verifier;

    public ServiceAccountTokenTests()
    {
        _issuer = new ServiceAccountTokenIssuer(Issuer, _key, _time);
        _verifier = new ServiceAccountTokenVerifier(Issuer, [_key], _time);
    }

    public void Dispose() => _key.Dispose();

    private static ServiceAccountClaims Claims() => new()
    {
        Namespace = "ns",
        ServiceAccount = new BoundObject("builder", "u1"),
        Pod = new BoundObject("p", "u2"),
        Node = new BoundObject("n", "u3"),
    };

    [Fact]
    public void What_is_issued_verifies_and_names_the_user()
    {
        var (token, expires) = _issuer.Issue(Claims(), 3600);
        Assert.Equal(_time.Now.AddSeconds(3600), expires);
        var claims = _verifier.Verify(token, [Issuer]).Claims!;
        Assert.Equal(new BoundObject("p", "u2"), claims.Pod);
        var user = claims.ToUser();
        Assert.Equal("system:serviceaccount:ns:builder", user.Name);
        Assert.Equal("u1", user.Uid);
        Assert.Equal(["system:serviceaccounts", "system:serviceaccounts:ns"], user.Groups);
        Assert.Equal(["p"], user.Extra!["authentication.kubernetes.io/pod-name"]);
        Assert.Equal(["n"], user.Extra["authentication.kubernetes.io/node-name"]);
        Assert.StartsWith("JTI=", user.Extra["authentication.kubernetes.io/credential-id"][0]);
    }

    [Fact]
    public void Claims_are_where_other_verifiers_look()
    {
        var (token, _) = _issuer.Issue(Claims() with { Audiences = ["vault"] }, 600);
        var payload = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!;
        Assert.Equal("vault", (string)payload["aud"]![0]!);
        Assert.Equal(1_800_000_600, (long)payload["exp"]!);
        Assert.Equal(1_800_000_000, (long)payload["nbf"]!);
        Assert.Equal(Issuer, (string)payload["iss"]!);
        Assert.Equal("builder", (string)payload["kubernetes.io"]!["serviceaccount"]!["name"]!);
        Assert.Equal("u2", (string)payload["kubernetes.io"]!["pod"]!["uid"]!);
        Assert.Equal("system:serviceaccount:ns:builder", (string)payload["sub"]!);
    }

    [Fact]
    public void Pod_tokens_live_longer_than_they_say()
    {
        var (token, expires) = _issuer.Issue(Claims(), ServiceAccountTokenIssuer.PodSeconds);
        Assert.Equal(_time.Now.AddSeconds(3607), expires);
        _time.Now += TimeSpan.FromHours(5);
        var claims = _verifier.Verify(token, [Issuer]).Claims!;
        Assert.True(claims.WarnAfter < _time.Now);
    }

    [Theory]
    [InlineData(3600, "other", 0, "token audiences [https://kubernetes.default.svc.cluster.local] is invalid for the target audiences [other]")]
    [InlineData(3600, Issuer, 3700, "service account token has expired")]
    [InlineData(3600, Issuer, -100, "service account token is not valid yet")]
    public void Refused(long seconds, string audience, int later, string why)
    {
        var (token, _) = _issuer.Issue(Claims(), seconds);
        _time.Now += TimeSpan.FromSeconds(later);
        Assert.Equal(new TokenVerification(null, true, why), _verifier.Verify(token, [audience]));
    }

    [Fact]
    public void Foreign_texts_are_not_ours()
    {
        using var other = SigningKey.Create();
        foreach (var text in new[] { "", "abc", "a.b", "a.b.c", "....", "e30.e30.e30", new ServiceAccountTokenIssuer("https://else", _key, _time).Issue(Claims(), 600).Token })
        {
            Assert.False(_verifier.Verify(text, [Issuer]).IsOurs, text);
        }
    }

    [Fact]
    public void Tampering_and_other_keys_are_refused()
    {
        using var other = SigningKey.Create();
        var forged = new ServiceAccountTokenIssuer(Issuer, other, _time).Issue(Claims(), 600).Token;
        Assert.Equal("signature is not valid", _verifier.Verify(forged, [Issuer]).Error);

        var parts = _issuer.Issue(Claims(), 600).Token.Split('.');
        var payload = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])).Replace("builder", "admin", StringComparison.Ordinal);
        var changed = $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.{parts[2]}";
        Assert.Equal("signature is not valid", _verifier.Verify(changed, [Issuer]).Error);

        var none = $"{System.Buffers.Text.Base64Url.EncodeToString("{\"alg\":\"none\"}"u8)}.{parts[1]}.";
        Assert.Null(_verifier.Verify(none, [Issuer]).Claims);
    }

    [Fact]
    public void Old_tokens_of_secrets_verify()
    {
        var token = _issuer.IssueLegacy("ns", new BoundObject("a", "u"), "a-token");
        var claims = _verifier.Verify(token, [Issuer]).Claims!;
        Assert.Equal("a-token", claims.Secret!.Value.Name);
        Assert.Null(claims.Expires);
    }

    [Fact]
    public void Rsa_keys_work_too()
    {
        using var rsa = RSA.Create(2048);
        using var key = SigningKey.FromPem(rsa.ExportPkcs8PrivateKeyPem());
        using var publicKey = SigningKey.FromPem(key.PublicPem);
        Assert.Equal("RS256", key.Algorithm);
        var token = new ServiceAccountTokenIssuer(Issuer, key, _time).Issue(Claims(), 600).Token;
        Assert.NotNull(new ServiceAccountTokenVerifier(Issuer, [_key, publicKey], _time).Verify(token, [Issuer]).Claims);
        Assert.Equal("RSA", (string)publicKey.ToJsonWebKey()["kty"]!);
        Assert.Throws<CryptographicException>(() => SigningKey.FromPem("nothing"));
    }
}
