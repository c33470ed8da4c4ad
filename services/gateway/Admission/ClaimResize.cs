using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>A claim grows only when it is bound and its class allows it (KEP-284).</summary>
internal sealed class ClaimResize(IObjectReader objects) : AdmissionPlugin("PersistentVolumeClaimResize")
{
    private const string ClassAnnotation = "volume.beta.kubernetes.io/storage-class";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Update && resource is { Group: "", Plural: "persistentvolumeclaims" } && subresource.Length == 0;

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (Size(attributes.Object) <= Size(attributes.OldObject)) return;
        if (attributes.OldObject.Text("status", "phase") != "Bound") throw Forbidden(attributes, "Only bound persistent volume claims can be expanded");
        var name = ClassOf(attributes.Object);
        var found = name.Length > 0 && name == ClassOf(attributes.OldObject) ? await objects.GetAsync(RbacResources.StorageClasses, null, name, ct) : null;
        if (found.Flag("allowVolumeExpansion") != true)
            throw Forbidden(attributes, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
    }

    private static Quantity Size(JsonObject? claim) => Quantity.TryParse(claim.Text("spec", "resources", "requests", "storage"), out var size) ? size : Quantity.Zero;

    private static string ClassOf(JsonObject? claim) =>
        claim.At("metadata", "annotations", ClassAnnotation) is { } old ? old.ToString() : claim.Text("spec", "storageClassName");
}
