using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;

namespace Mesh.Gateway.Admission;

/// <summary>A new node takes no pods until the node controller has seen it ready.</summary>
internal sealed class TaintNodesByCondition() : AdmissionPlugin("TaintNodesByCondition")
{
    private const string NotReady = "node.kubernetes.io/not-ready";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && subresource.Length == 0 && resource is { Group: "", Plural: "nodes" };

    /// <inheritdoc/>
    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } node) return ValueTask.CompletedTask;
        if (node["spec"] is not JsonObject spec) node["spec"] = spec = [];
        if (spec.Objects("taints").Any(t => t.Text("key") == NotReady && t.Text("effect") == "NoSchedule")) return ValueTask.CompletedTask;
        if (spec["taints"] is not JsonArray taints) spec["taints"] = taints = [];
        taints.Add(new JsonObject { ["effect"] = "NoSchedule", ["key"] = NotReady });
        return ValueTask.CompletedTask;
    }
}
