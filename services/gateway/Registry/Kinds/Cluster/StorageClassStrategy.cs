using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>StorageClasses.</summary>
internal sealed class StorageClassStrategy() : KindStrategy(Of("storage.k8s.io", "v1", "storageclasses"))
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        obj.Default("reclaimPolicy", "Delete");
        obj.Default("volumeBindingMode", "Immediate");
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var provisioner = obj.Str("provisioner");
        if (provisioner.Length == 0)
            errors.Add(FieldError.Required("provisioner", provisioner));
        else
            errors.Rules("provisioner", provisioner, Names.QualifiedName(provisioner.ToLowerInvariant()));
        errors.OptionalOneOf("reclaimPolicy", obj.Str("reclaimPolicy"), "Delete", "Retain");
        errors.OneOf("volumeBindingMode", obj.Str("volumeBindingMode"), "Immediate", "WaitForFirstConsumer");
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        foreach (var field in new[] { "parameters", "provisioner", "reclaimPolicy" })
        {
            if (!JsonAccess.Same(obj[field], old[field]))
                errors.Add(FieldError.Forbidden(field, $"updates to {field} are forbidden."));
        }

        errors.Unchanged("volumeBindingMode", obj["volumeBindingMode"], old["volumeBindingMode"]);
    }
}
