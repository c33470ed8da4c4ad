using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;
using Mesh.Security;

namespace Mesh.Gateway.Admission;

/// <summary>A node changes itself and the pods bound to it, nothing else, and cannot give itself the labels that isolation rests on.</summary>
internal sealed class NodeRestriction(IObjectReader objects) : AdmissionPlugin("NodeRestriction")
{
    private const string Mirror = "kubernetes.io/config.mirror";

    private static readonly HashSet<string> OwnLabels =
    [
        "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type", "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
    ];

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation != AdmissionOperation.Connect && (resource.Group, resource.Plural) switch
        {
            ("", "pods" or "nodes") => true,
            ("", "serviceaccounts") => subresource == "token",
            ("coordination.k8s.io", "leases") => true,
            ("storage.k8s.io", "csinodes") => true,
            _ => false,
        };

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (UserNames.NodeOf(attributes.User) is not { } node) return;
        switch (attributes.Resource.Plural, attributes.Subresource)
        {
            case ("pods", ""): Pod(attributes, node); break;
            case ("pods", "status"): PodStatus(attributes, node); break;
            case ("pods", "eviction"): await EvictionAsync(attributes, node, ct); break;
            case ("pods", _): throw Forbidden(attributes, $"unexpected pod subresource {GoText.Quote(attributes.Subresource)}, only 'status' and 'eviction' are allowed");
            case ("nodes", _): Node(attributes, node); break;
            case ("serviceaccounts", "token"): await TokenAsync(attributes, node, ct); break;
            case ("leases", _): Lease(attributes, node); break;
            case ("csinodes", _):
                if (NameOf(attributes) != node) throw Forbidden(attributes, "can only access CSINode with the same name as the requesting node");
                break;
            default: break;
        }
    }

    private static void Pod(AdmissionAttributes a, string node)
    {
        switch (a.Operation)
        {
            case AdmissionOperation.Create:
                var pod = a.Object;
                if (pod.At("metadata", "annotations", Mirror) is null)
                {
                    throw Forbidden(a, $"pod does not have {GoText.Quote(Mirror)} annotation, node {GoText.Quote(node)} can only create mirror pods");
                }

                if (pod.Text("spec", "nodeName") != node) throw Forbidden(a, $"node {GoText.Quote(node)} can only create pods with spec.nodeName set to itself");
                if (pod.Text("spec", "serviceAccountName").Length > 0) throw Forbidden(a, $"node {GoText.Quote(node)} can not create pods that reference a service account");
                foreach (var volume in pod.Objects("spec", "volumes"))
                {
                    if (volume.At("secret") is not null) throw Forbidden(a, $"node {GoText.Quote(node)} can not create pods that reference secrets");
                    if (volume.At("configMap") is not null) throw Forbidden(a, $"node {GoText.Quote(node)} can not create pods that reference configmaps");
                    if (volume.At("persistentVolumeClaim") is not null) throw Forbidden(a, $"node {GoText.Quote(node)} can not create pods that reference persistentvolumeclaims");
                }

                break;
            case AdmissionOperation.Delete:
                if (a.OldObject is { } old && old.Text("spec", "nodeName") != node) throw Forbidden(a, $"node {GoText.Quote(node)} can only delete pods with spec.nodeName set to itself");
                break;
            default:
                throw Forbidden(a, $"unexpected operation {GoText.Quote("UPDATE")}, node {GoText.Quote(node)} can only create and delete mirror pods");
        }
    }

    private static void PodStatus(AdmissionAttributes a, string node)
    {
        if (a.Operation != AdmissionOperation.Update) throw Forbidden(a, "unexpected operation on pod status");
        if (a.OldObject.Text("spec", "nodeName") != node) throw Forbidden(a, $"node {GoText.Quote(node)} can only update pod status for pods with spec.nodeName set to itself");
        if (!JsonNode.DeepEquals(a.OldObject.At("metadata", "labels"), a.Object.At("metadata", "labels")))
        {
            throw Forbidden(a, $"node {GoText.Quote(node)} cannot update labels through pod status");
        }
    }

    private async ValueTask EvictionAsync(AdmissionAttributes a, string node, CancellationToken ct)
    {
        var pod = await objects.GetAsync(RbacResources.Pods, a.Namespace, NameOf(a), ct);
        if (pod is not null && pod.Text("spec", "nodeName") != node) throw Forbidden(a, $"node {node} can only evict pods with spec.nodeName set to itself");
    }

    private static void Node(AdmissionAttributes a, string node)
    {
        if (NameOf(a) != node) throw Forbidden(a, $"node {GoText.Quote(node)} is not allowed to modify node {GoText.Quote(NameOf(a))}");
        if (a.Operation == AdmissionOperation.Delete || a.Object is null) return;
        if (a.Object.At("spec", "configSource") is not null && !JsonNode.DeepEquals(a.Object.At("spec", "configSource"), a.OldObject.At("spec", "configSource")))
        {
            throw Forbidden(a, $"node {GoText.Quote(node)} is not allowed to update configSource to a new non-nil configSource");
        }

        if (a.Operation == AdmissionOperation.Update && !Same(a.OldObject.At("spec", "taints"), a.Object.At("spec", "taints")))
        {
            throw Forbidden(a, $"node {GoText.Quote(node)} is not allowed to modify taints");
        }

        var changed = ChangedLabels(a).Where(IsReserved).Order(StringComparer.Ordinal).ToArray();
        if (changed.Length > 0)
        {
            var verb = a.Operation == AdmissionOperation.Create ? "set" : "modify";
            throw Forbidden(a, $"is not allowed to {verb} the following labels: {string.Join(", ", changed)}");
        }
    }

    private async ValueTask TokenAsync(AdmissionAttributes a, string node, CancellationToken ct)
    {
        var bound = a.Object.At("spec", "boundObjectRef");
        if (bound.Text("apiVersion") != "v1" || bound.Text("kind") != "Pod" || bound.Text("name").Length == 0) throw Forbidden(a, "node requested token not bound to a pod");
        if (bound.Text("uid").Length == 0) throw Forbidden(a, "node requested token with a pod binding without a uid");
        var pod = await objects.GetAsync(RbacResources.Pods, a.Namespace, bound.Text("name"), ct) ?? await objects.GetFreshAsync(RbacResources.Pods, a.Namespace, bound.Text("name"), ct);
        if (pod is null) throw Statuses.NotFound(RbacResources.Pods, bound.Text("name")).ToException();
        if (pod.Uid() != bound.Text("uid")) throw Forbidden(a, $"the UID in the bound object reference ({bound.Text("uid")}) does not match the UID in record ({pod.Uid()}). The object might have been deleted and then recreated");
        if (pod.Text("spec", "nodeName") != node) throw Forbidden(a, "node requested token bound to a pod scheduled on a different node");
    }

    private static void Lease(AdmissionAttributes a, string node)
    {
        if (a.Namespace != "kube-node-lease") throw Forbidden(a, "can only access leases in the \"kube-node-lease\" system namespace");
        if (NameOf(a) != node) throw Forbidden(a, "can only access node lease with the same name as the requesting node");
    }

    private static string NameOf(AdmissionAttributes a) => a.Name.Length > 0 ? a.Name : a.Object.Name();

    private static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a is JsonArray { Count: 0 } ? null : a, b is JsonArray { Count: 0 } ? null : b);

    private static IEnumerable<string> ChangedLabels(AdmissionAttributes a)
    {
        var now = a.Object.At("metadata", "labels") as JsonObject ?? [];
        var before = a.OldObject.At("metadata", "labels") as JsonObject ?? [];
        return now.Select(l => l.Key).Union(before.Select(l => l.Key)).Where(key => !JsonNode.DeepEquals(now[key], before[key]));
    }

    // Labels under kubernetes.io and k8s.io steer scheduling and isolation: a node sets only those that describe itself.
    private static bool IsReserved(string label)
    {
        var slash = label.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return false;
        var prefix = label[..slash];
        var system = Under(prefix, "kubernetes.io") || Under(prefix, "k8s.io");
        if (!system || OwnLabels.Contains(label)) return false;
        return !(Under(prefix, "kubelet.kubernetes.io") || Under(prefix, "node.kubernetes.io"));
    }

    private static bool Under(string prefix, string domain) => prefix == domain || prefix.EndsWith("." + domain, StringComparison.Ordinal);
}
