using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Nodes: a node agent registers itself with its status in place.</summary>
internal sealed class NodeStrategy() : KindStrategy(Of("", "v1", "nodes"), hasStatus: true)
{
    private static readonly string[] Fields = ["spec.unschedulable"];
    private static readonly string[] Effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Obj("spec").Bool("unschedulable") ? "true" : "false"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var status = obj.Ensure("status");
        obj.Ensure("spec");
        PodDefaults.Quantities(status.Obj("capacity"));
        if (!status.Has("allocatable") && status.Obj("capacity") is { } capacity)
            status["allocatable"] = capacity.DeepClone();
        PodDefaults.Quantities(status.Obj("allocatable"));
        var spec = obj.Obj("spec")!;
        if (spec.Str("podCIDR").Length > 0 && spec.Strings("podCIDRs").Count == 0)
            spec["podCIDRs"] = new JsonArray(spec.Str("podCIDR"));
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        // The status of a new node is its own word.
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var taints = new HashSet<(string, string)>();
        foreach (var (i, taint) in Spec(obj).Items("taints"))
        {
            var at = new FieldPath("spec.taints").Index(i);
            errors.Rules(at.Child("key"), taint.Str("key"), Names.QualifiedName(taint.Str("key")));
            errors.Rules(at.Child("value"), taint.Str("value"), Names.LabelValue(taint.Str("value")));
            errors.OneOf(at.Child("effect"), taint.Str("effect"), Effects);
            if (!taints.Add((taint.Str("key"), taint.Str("effect"))))
                errors.Add(FieldError.Duplicate(at, taint.DeepClone()));
        }

        foreach (var (i, cidr) in Spec(obj).Strings("podCIDRs").Index())
            errors.Cidr(new FieldPath("spec.podCIDRs").Index(i), cidr);
        foreach (var list in new[] { "capacity", "allocatable" })
        {
            foreach (var (name, value) in obj.Obj("status", list) ?? [])
                ResourceValidation.Amount(errors, new FieldPath("status").Child(list).Key(name), name, value?.ToString() ?? string.Empty);
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        if (was.Strings("podCIDRs").Count > 0 && !JsonAccess.Same(spec["podCIDRs"], was["podCIDRs"]))
            errors.Add(FieldError.Forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"));
        if (was.Str("providerID").Length > 0 && spec.Str("providerID") != was.Str("providerID"))
            errors.Add(FieldError.Forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid"));
    }
}
