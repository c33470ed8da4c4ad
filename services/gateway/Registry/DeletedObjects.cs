using System.Collections.Frozen;
using Mesh.Api;

namespace Mesh.Gateway.Registry;

/// <summary>Kinds whose deletion is answered with the object as it last was; all others answer a Status.</summary>
internal static class DeletedObjects
{
    private static readonly FrozenSet<(string Group, string Plural)> Returned = new (string, string)[]
    {
        ("", "namespaces"), ("", "persistentvolumeclaims"), ("", "persistentvolumes"), ("", "pods"), ("", "podtemplates"), ("", "resourcequotas"),
        ("", "serviceaccounts"), ("", "services"), ("storage.k8s.io", "csidrivers"), ("storage.k8s.io", "csinodes"), ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "storageclasses"), ("storage.k8s.io", "volumeattachments"), ("storage.k8s.io", "volumeattributesclasses"),
    }.ToFrozenSet();

    /// <summary>Whether the kind is one of them.</summary>
    public static bool AreReturned(ApiResource resource) => Returned.Contains((resource.Group, resource.Plural));
}
