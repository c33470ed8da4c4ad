using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Admission;

/// <summary>New volumes and claims get the finalizer that keeps them while they are in use; the protection controllers take it off.</summary>
internal sealed class StorageObjectInUseProtection() : AdmissionPlugin("StorageObjectInUseProtection")
{
    private const string Volume = "kubernetes.io/pv-protection";
    private const string Claim = "kubernetes.io/pvc-protection";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && subresource.Length == 0 && resource is { Group: "", Plural: "persistentvolumes" or "persistentvolumeclaims" };

    /// <inheritdoc/>
    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object?["metadata"] is not JsonObject meta) return ValueTask.CompletedTask;
        var finalizer = attributes.Resource.Plural == "persistentvolumes" ? Volume : Claim;
        if (meta["finalizers"] is not JsonArray finalizers) meta["finalizers"] = finalizers = [];
        if (!finalizers.Any(f => f?.ToString() == finalizer)) finalizers.Add(finalizer);
        return ValueTask.CompletedTask;
    }
}
