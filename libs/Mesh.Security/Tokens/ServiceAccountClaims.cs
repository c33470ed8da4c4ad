namespace Mesh.Security.Tokens;

/// <summary>An object a token is bound to, by name and uid.</summary>
public readonly record struct BoundObject(string Name, string Uid);

/// <summary>What a service account token says.</summary>
public sealed record ServiceAccountClaims
{
    /// <summary>Namespace of the service account.</summary>
    public required string Namespace { get; init; }

    /// <summary>The service account.</summary>
    public required BoundObject ServiceAccount { get; init; }

    /// <summary>The pod the token lives and dies with, if any.</summary>
    public BoundObject? Pod { get; init; }

    /// <summary>The secret the token lives and dies with, if any.</summary>
    public BoundObject? Secret { get; init; }

    /// <summary>The node of the pod (or bound to by itself), if known.</summary>
    public BoundObject? Node { get; init; }

    /// <summary>Whom the token is meant for.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>When it was issued.</summary>
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>When it ends; null for the old tokens in secrets, which do not end.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>After this moment its use is worth a warning (the client should have fetched a new one).</summary>
    public DateTimeOffset? WarnAfter { get; init; }

    /// <summary>Unique id of the token.</summary>
    public string TokenId { get; init; } = "";

    /// <summary>The user a holder of the token is.</summary>
    public UserInfo ToUser()
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>();
        if (TokenId.Length > 0) extra["authentication.kubernetes.io/credential-id"] = [$"JTI={TokenId}"];
        if (Pod is { } pod)
        {
            extra["authentication.kubernetes.io/pod-name"] = [pod.Name];
            extra["authentication.kubernetes.io/pod-uid"] = [pod.Uid];
        }

        if (Node is { } node)
        {
            extra["authentication.kubernetes.io/node-name"] = [node.Name];
            if (node.Uid.Length > 0) extra["authentication.kubernetes.io/node-uid"] = [node.Uid];
        }

        return new UserInfo(
            UserNames.ServiceAccount(Namespace, ServiceAccount.Name), ServiceAccount.Uid, UserNames.ServiceAccountGroups(Namespace), extra.Count == 0 ? null : extra);
    }
}
