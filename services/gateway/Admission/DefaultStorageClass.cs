using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>A claim that names no class gets the default one; of several defaults the newest, then the first by name.</summary>
internal sealed class DefaultStorageClass(IObjectReader objects) : AdmissionPlugin("DefaultStorageClass")
{
    private static readonly string[] Annotations = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && subresource.Length == 0 && resource is { Group: "", Plural: "persistentvolumeclaims" };

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        // "" is a choice: no dynamic provisioning.
        if (attributes.Object?["spec"] is not JsonObject spec || spec["storageClassName"] is not null) return;
        if (attributes.Object.At("metadata", "annotations", "volume.beta.kubernetes.io/storage-class") is not null) return;
        var classes = await objects.ListAsync(RbacResources.StorageClasses, null, ct);
        var chosen = classes.Where(IsDefault)
            .OrderByDescending(c => c.Text("metadata", "creationTimestamp"), StringComparer.Ordinal)
            .ThenBy(c => c.Name(), StringComparer.Ordinal)
            .FirstOrDefault();
        if (chosen is not null) spec["storageClassName"] = chosen.Name();
    }

    private static bool IsDefault(JsonObject storageClass) => Annotations.Any(a => storageClass.Text("metadata", "annotations", a) == "true");
}
