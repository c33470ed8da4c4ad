using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>A kind of resource.k8s.io/v1beta1, by the rules of its v1: defaults and checks are those of the same object there.</summary>
internal sealed class DeviceBetaStrategy(KindStrategy final, bool hasStatus = false)
    : KindStrategy(Of("resource.k8s.io", "v1beta1", final.Resource.Plural), hasStatus, final.HasGeneration)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => final.SelectableFields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => final.SelectableValues(obj);

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        DeviceVersions.ToFinal(obj);
        final.Default(obj);
        DeviceVersions.FromFinal(obj);
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => final.Validate(Final(obj), errors);

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => final.ValidateUpdate(Final(obj), Final(old), errors);

    private static JsonObject Final(JsonObject obj)
    {
        var copy = (JsonObject)obj.DeepClone();
        DeviceVersions.ToFinal(copy);
        return copy;
    }
}
