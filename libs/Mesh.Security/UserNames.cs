namespace Mesh.Security;

/// <summary>Names of users and groups that Kubernetes reserves.</summary>
public static class UserNames
{
    /// <summary>User of a request without credentials.</summary>
    public const string Anonymous = "system:anonymous";

    /// <summary>Group of requests without credentials.</summary>
    public const string Unauthenticated = "system:unauthenticated";

    /// <summary>Group of every request with accepted credentials.</summary>
    public const string Authenticated = "system:authenticated";

    /// <summary>Group that may do everything, without RBAC being asked.</summary>
    public const string Masters = "system:masters";

    /// <summary>Group of node agents.</summary>
    public const string Nodes = "system:nodes";

    /// <summary>User name prefix of node agents.</summary>
    public const string NodePrefix = "system:node:";

    /// <summary>User name prefix of service accounts.</summary>
    public const string ServiceAccountPrefix = "system:serviceaccount:";

    /// <summary>Group of every service account.</summary>
    public const string ServiceAccounts = "system:serviceaccounts";

    /// <summary>User name prefix of bootstrap tokens.</summary>
    public const string BootstrapPrefix = "system:bootstrap:";

    /// <summary>Group of bootstrap tokens.</summary>
    public const string Bootstrappers = "system:bootstrappers";

    /// <summary>The user name of a service account.</summary>
    public static string ServiceAccount(string ns, string name) => $"{ServiceAccountPrefix}{ns}:{name}";

    /// <summary>The groups of a service account: all service accounts, and those of its namespace.</summary>
    public static IReadOnlyList<string> ServiceAccountGroups(string ns) => [ServiceAccounts, $"{ServiceAccounts}:{ns}"];

    /// <summary>Splits a service account's user name; false when it is not one.</summary>
    public static bool TrySplitServiceAccount(string user, out string ns, out string name)
    {
        ns = name = "";
        if (!user.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal)) return false;
        var rest = user.AsSpan(ServiceAccountPrefix.Length);
        var colon = rest.IndexOf(':');
        if (colon <= 0 || colon == rest.Length - 1 || rest[(colon + 1)..].Contains(':')) return false;
        ns = rest[..colon].ToString();
        name = rest[(colon + 1)..].ToString();
        return true;
    }

    /// <summary>The node a user is, when it carries both the node user name and the node group.</summary>
    public static string? NodeOf(UserInfo user) =>
        user.Name.StartsWith(NodePrefix, StringComparison.Ordinal) && user.InGroup(Nodes)
            ? user.Name[NodePrefix.Length..]
            : null;
}
