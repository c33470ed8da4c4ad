using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

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
        // podCIDR is the older name of the first of podCIDRs: what differs from it replaces them, what is absent is taken from them.
        var (first, all) = (spec.Str("podCIDR"), spec.Strings("podCIDRs"));
        if (first.Length > 0 && (all.Count == 0 || all[0] != first))
            spec["podCIDRs"] = new JsonArray(first);
        else if (first.Length == 0 && all.Count > 0 && all[0].Length > 0)
            spec["podCIDR"] = all[0];
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        // The status of a new node is its own word.
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        Taints(errors, "metadata.taints", Spec(obj)); // where Kubernetes reports them
        foreach (var list in new[] { "capacity", "allocatable" })
        {
            foreach (var (name, value) in obj.Obj("status", list) ?? [])
                ResourceValidation.Amount(errors, new FieldPath("status").Child(list, name), name, value?.ToString() ?? string.Empty);
        }

        var cidrs = Spec(obj).Strings("podCIDRs");
        for (var i = 0; i < cidrs.Count; i++)
            errors.Cidr(new FieldPath("spec.podCIDRs").Index(i), cidrs[i]);
        if (cidrs.Count > 1 && (cidrs.Count > 2 || cidrs.Count(static c => c.Contains(':')) != 1))
            errors.Add(FieldError.Invalid("spec.podCIDRs", cidrs, "may specify no more than one CIDR for each IP family"));
        for (var i = 1; i < cidrs.Count; i++)
        {
            if (cidrs.IndexOf(cidrs[i]) < i)
                errors.Add(FieldError.Duplicate(new FieldPath("spec.podCIDRs").Index(i), cidrs[i]));
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        Addresses(errors, obj);
        var (spec, was) = (Spec(obj), Spec(old));
        if (was.Strings("podCIDRs").Count > 0 && !JsonAccess.Same(spec["podCIDRs"], was["podCIDRs"]))
            errors.Add(FieldError.Forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"));
        if (was.Str("providerID").Length > 0 && spec.Str("providerID") != was.Str("providerID"))
            errors.Add(FieldError.Forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid"));
        if (spec.Str("externalID") != was.Str("externalID"))
            errors.Add(FieldError.Forbidden("spec.externalID", "may not be updated"));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => Addresses(errors, obj);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NetworkWarnings.Node(obj);

    private static void Addresses(List<FieldError> errors, JsonObject obj)
    {
        var seen = new HashSet<(string, string)>();
        foreach (var (i, address) in obj.Obj("status").Items("addresses"))
        {
            if (!seen.Add((address.Str("type"), address.Str("address"))))
                errors.Add(FieldError.Duplicate(new FieldPath("status.addresses").Index(i), new JsonObject { ["Type"] = address.Str("type"), ["Address"] = address.Str("address") }));
        }
    }

    private static void Taints(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var taints = new HashSet<(string, string)>();
        foreach (var (i, taint) in spec.Items("taints"))
        {
            var (at, key, value, effect) = (path.Index(i), taint.Str("key"), taint.Str("value"), taint.Str("effect"));
            errors.Rules(at.Child("key"), key, Names.QualifiedName(key));
            if (Names.LabelValue(value) is { Count: > 0 } broken)
                errors.Add(FieldError.Invalid(at.Child("value"), value, string.Join(";", broken)));
            errors.OneOf(at.Child("effect"), effect, Effects);
            if (!taints.Add((key, effect)))
            {
                errors.Add(new FieldError(
                    FieldErrorType.Duplicate, at, new JsonObject { ["Key"] = key, ["Value"] = value, ["Effect"] = effect, ["TimeAdded"] = taint["timeAdded"]?.DeepClone() },
                    "taints must be unique by key and effect pair"));
            }
        }
    }
}
