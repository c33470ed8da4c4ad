using System.Collections.Frozen;
using Mesh.Api;

namespace Mesh.Gateway.Registry;

/// <summary>Kinds that are only replaced by who says which resourceVersion it has seen; all others may be replaced whatever they are now.</summary>
internal static class ConditionalUpdates
{
    private static readonly FrozenSet<(string Group, string Plural)> Kinds = new (string, string)[]
    {
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"), ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"), ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiextensions.k8s.io", "customresourcedefinitions"), ("apiregistration.k8s.io", "apiservices"), ("coordination.k8s.io", "leases"),
        ("flowcontrol.apiserver.k8s.io", "flowschemas"), ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"), ("node.k8s.io", "runtimeclasses"),
        ("policy", "poddisruptionbudgets"), ("storage.k8s.io", "csidrivers"), ("storage.k8s.io", "csinodes"), ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "volumeattachments"),
    }.ToFrozenSet();

    /// <summary>Whether the kind is one of them.</summary>
    public static bool Has(ApiResource resource) => Kinds.Contains((resource.Group, resource.Plural));
}
