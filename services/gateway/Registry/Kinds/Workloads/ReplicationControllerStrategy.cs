using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Selectors;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>ReplicationControllers: the selector is a map of labels, taken from the template when absent.</summary>
internal sealed class ReplicationControllerStrategy() : KindStrategy(Of("", "v1", "replicationcontrollers"), hasStatus: true, generation: true)
{
    private static readonly string[] Fields = ["status.replicas"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [(obj.Obj("status").Num("replicas") ?? 0).ToString()];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("replicas", 1);
        if (spec.Obj("template").Obj("metadata", "labels") is { Count: > 0 } labels)
        {
            if ((spec.Obj("selector")?.Count ?? 0) == 0)
                spec["selector"] = labels.DeepClone();
            if ((obj.Obj("metadata", "labels")?.Count ?? 0) == 0)
                obj.Ensure("metadata")["labels"] = labels.DeepClone();
        }

        PodDefaults.Template(spec.Obj("template"));
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["replicas"] = 0 };
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        if ((spec.Obj("selector")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required("spec.selector"));
        errors.NonNegative("spec.replicas", spec.Num("replicas"));
        var fits = Selector.FromSet(spec.Map("selector")).Matches(spec.Obj("template").Obj("metadata", "labels"));
        PodSpecValidation.RunningTemplate(errors, "spec.template", spec.Obj("template"), new JsonObject { ["matchLabels"] = spec.Obj("selector")?.DeepClone() }, fits, "ReplicationController");
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => Workload.Status(errors, obj, old);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.Named(obj, old);
}
