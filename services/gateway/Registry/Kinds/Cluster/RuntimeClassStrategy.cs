using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Warnings;

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
            Tolerations(errors, scheduling);
    }

    private static void Tolerations(List<FieldError> errors, JsonObject scheduling)
    {
        SchedulingValidation.Tolerations(errors, "scheduling.tolerations", scheduling);
        var seen = new HashSet<(string, string, string, string)>();
        foreach (var (i, item) in scheduling.Items("tolerations"))
        {
            if (!seen.Add((item.Str("key"), item.Str("operator"), item.Str("value"), item.Str("effect"))))
                errors.Add(FieldError.Duplicate(new FieldPath("scheduling.tolerations").Index(i), item));
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("handler", obj["handler"], old["handler"]);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NodeLabels.InMap("scheduling.nodeSelector", obj.Obj("scheduling"), "nodeSelector", static (at, _) => at);
}
