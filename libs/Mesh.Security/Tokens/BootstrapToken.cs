using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Mesh.Security.Tokens;

/// <summary>A bootstrap token <c>id.secret</c>: six and sixteen of [a-z0-9]. Stored as the secret <c>bootstrap-token-id</c> in kube-system.</summary>
public readonly partial record struct BootstrapToken(string Id, string Secret)
{
    /// <summary>Type of the secret that holds one.</summary>
    public const string SecretType = "bootstrap.kubernetes.io/token";

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Name of its secret in kube-system.</summary>
    public string SecretName => $"bootstrap-token-{Id}";

    /// <summary>A new random token.</summary>
    public static BootstrapToken Create() => new(RandomNumberGenerator.GetString(Alphabet, 6), RandomNumberGenerator.GetString(Alphabet, 16));

    /// <summary>Reads a token; false when the text is not one.</summary>
    public static bool TryParse(string? text, out BootstrapToken token)
    {
        token = default;
        if (text is not { Length: 23 } || !Format().IsMatch(text)) return false;
        token = new BootstrapToken(text[..6], text[7..]);
        return true;
    }

    /// <summary>Checks against the data of the secret; null when it may be used, else why not. Groups are those to add.</summary>
    public string? WhyRefused(string? type, IReadOnlyDictionary<string, string> data, DateTimeOffset now, out IReadOnlyList<string> groups)
    {
        ArgumentNullException.ThrowIfNull(data);
        groups = [];
        if (type != SecretType) return "secret has another type";
        if (data.GetValueOrDefault("token-id") != Id) return "token-id does not match";
        if (!CryptographicOperations.FixedTimeEquals(Bytes(data.GetValueOrDefault("token-secret")), Bytes(Secret))) return "token-secret does not match";
        if (data.GetValueOrDefault("expiration") is { Length: > 0 } expiration
            && (!DateTimeOffset.TryParse(expiration, out var end) || end <= now))
        {
            return "expired";
        }

        if (data.GetValueOrDefault("usage-bootstrap-authentication") != "true") return "not usable for authentication";
        var all = new List<string> { UserNames.Bootstrappers };
        foreach (var extra in (data.GetValueOrDefault("auth-extra-groups") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!ExtraGroup().IsMatch(extra)) return $"invalid group {extra}";
            if (!all.Contains(extra)) all.Add(extra);
        }

        groups = all;
        return null;
    }

    /// <inheritdoc />
    public override string ToString() => $"{Id}.{Secret}";

    private static byte[] Bytes(string? text) => System.Text.Encoding.UTF8.GetBytes(text ?? "");

    [GeneratedRegex(@"\A[a-z0-9]{6}\.[a-z0-9]{16}\z")]
    private static partial Regex Format();

    [GeneratedRegex(@"\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z")]
    private static partial Regex ExtraGroup();
}
