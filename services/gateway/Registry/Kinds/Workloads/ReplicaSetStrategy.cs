using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>ReplicaSets.</summary>
internal sealed class ReplicaSetStrategy() : KindStrategy(Of("apps", "v1", "replicasets"), hasStatus: true, generation: true)
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
        errors.NonNegative("spec.replicas", spec.Num("replicas"));
        errors.NonNegative("spec.minReadySeconds", spec.Num("minReadySeconds"));
        Workload.Selector(errors, spec, "deployment");
        Workload.SelectedTemplate(errors, spec, "ReplicaSet");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.selector", Spec(obj)["selector"], Spec(old)["selector"]);

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => Workload.Status(errors, obj, old);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => WorkloadWarnings.Named(obj, old);
}
