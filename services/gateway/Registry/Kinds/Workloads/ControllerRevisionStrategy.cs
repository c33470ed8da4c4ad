using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>ControllerRevisions: what a set of pods once looked like; it never changes.</summary>
internal sealed class ControllerRevisionStrategy() : KindStrategy(Of("apps", "v1", "controllerrevisions"))
{
    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        if (!obj.Has("data"))
            errors.Add(FieldError.Required("data", "data is mandatory"));
        errors.NonNegative("revision", obj.Num("revision"));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("data", obj["data"], old["data"]);
}
