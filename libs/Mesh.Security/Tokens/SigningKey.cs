using System.Security.Cryptography;

namespace Mesh.Security.Tokens;

/// <summary>A key that signs or verifies tokens: ECDSA P-256 (ES256) or RSA (RS256), by what the PEM holds.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly ECDsa? _ec;
    private readonly RSA? _rsa;

    private SigningKey(ECDsa? ec, RSA? rsa)
    {
        _ec = ec;
        _rsa = rsa;
        var spki = ec?.ExportSubjectPublicKeyInfo() ?? rsa!.ExportSubjectPublicKeyInfo();
        KeyId = Base64Url.Encode(SHA256.HashData(spki));
        PublicPem = PemEncoding.WriteString("PUBLIC KEY", spki);
    }

    /// <summary>Id of the key: the SHA-256 of its public half.</summary>
    public string KeyId { get; }

    /// <summary>The JWS algorithm.</summary>
    public string Algorithm => _ec is not null ? "ES256" : "RS256";

    /// <summary>The public half as PEM.</summary>
    public string PublicPem { get; }

    /// <summary>Reads a private or public key; throws CryptographicException on anything else.</summary>
    public static SigningKey FromPem(string pem)
    {
        try
        {
            var ec = ECDsa.Create();
            ec.ImportFromPem(pem);
            return ec.KeySize == 256 ? new SigningKey(ec, null) : throw new CryptographicException("only P-256 elliptic keys sign tokens");
        }
        catch (Exception e) when (e is ArgumentException || (e is CryptographicException && !e.Message.StartsWith("only", StringComparison.Ordinal)))
        {
            var rsa = RSA.Create();
            try
            {
                rsa.ImportFromPem(pem);
                return new SigningKey(null, rsa);
            }
            catch (ArgumentException inner)
            {
                rsa.Dispose();
                throw new CryptographicException("no key in the PEM text", inner);
            }
        }
    }

    /// <summary>A new ECDSA key.</summary>
    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), null);

    /// <inheritdoc />
    public void Dispose()
    {
        _ec?.Dispose();
        _rsa?.Dispose();
    }

    /// <summary>32 secret bytes for a purpose, the same wherever this private key is (HKDF, RFC 5869); throws CryptographicException for a public key.</summary>
    public byte[] DeriveSecret(string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, _ec is not null ? _ec.ExportParameters(true).D! : _rsa!.ExportParameters(true).D!, 32, null, System.Text.Encoding.UTF8.GetBytes(purpose));

    internal byte[] Sign(ReadOnlySpan<byte> data) => _ec is not null
        ? _ec.SignData(data, HashAlgorithmName.SHA256)
        : _rsa!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    internal bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => _ec is not null
        ? _ec.VerifyData(data, signature, HashAlgorithmName.SHA256)
        : _rsa!.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>The public key as a JSON Web Key (RFC 7517), for <c>/openid/v1/jwks</c>.</summary>
    public System.Text.Json.Nodes.JsonObject ToJsonWebKey()
    {
        var jwk = new System.Text.Json.Nodes.JsonObject { ["use"] = "sig", ["kid"] = KeyId, ["alg"] = Algorithm };
        if (_ec is not null)
        {
            var point = _ec.ExportParameters(false).Q;
            jwk["kty"] = "EC";
            jwk["crv"] = "P-256";
            jwk["x"] = Base64Url.Encode(point.X!);
            jwk["y"] = Base64Url.Encode(point.Y!);
        }
        else
        {
            var key = _rsa!.ExportParameters(false);
            jwk["kty"] = "RSA";
            jwk["n"] = Base64Url.Encode(key.Modulus!);
            jwk["e"] = Base64Url.Encode(key.Exponent!);
        }

        return jwk;
    }
}
