using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>RuntimeClasses.</summary>
internal sealed class RuntimeClassStrategy() : KindStrategy(Of("node.k8s.io", "v1", "runtimeclasses"))
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => PodDefaults.Quantities(obj.Obj("overhead", "podFixed"));

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        errors.Rules("handler", obj.Str("handler"), Names.Dns1123Label(obj.Str("handler")));
        ResourceValidation.List(errors, "overhead.limits", obj.Obj("overhead", "podFixed"));
        errors.Labels("scheduling.nodeSelector", obj.Obj("scheduling", "nodeSelector"));
        if (obj.Obj("scheduling") is { } scheduling)
            SchedulingValidation.Tolerations(errors, "scheduling.tolerations", scheduling);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("handler", obj["handler"], old["handler"]);
}
