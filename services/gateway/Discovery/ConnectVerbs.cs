using Mesh.Api;

namespace Mesh.Gateway.Discovery;

/// <summary>The HTTP verbs behind "connect": streams open by GET or POST, proxies pass every method on.</summary>
internal static class ConnectVerbs
{
    private static readonly string[] Stream = ["create", "get"];
    private static readonly string[] Proxy = ["create", "delete", "get", "patch", "update"];

    /// <summary>The verbs of a subresource as clients see them.</summary>
    public static IReadOnlyList<string> Of(ApiSubresource sub) => !sub.Verbs.Contains("connect") ? sub.Verbs : sub.Name == "proxy" ? Proxy : Stream;
}
