using System.Text.Json.Nodes;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>ServiceAccounts.</summary>
internal sealed class ServiceAccountStrategy() : KindStrategy(Of("", "v1", "serviceaccounts"))
{
    private const string Mountable = "kubernetes.io/enforce-mountable-secrets";

    /// <summary>The annotation, when a request newly sets it.</summary>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) =>
        Marked(obj) && !(old is not null && Marked(old))
            ? [$"metadata.annotations[{Mountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"]
            : [];

    private static bool Marked(JsonObject account) => account.Obj("metadata", "annotations")?.ContainsKey(Mountable) == true;
}
