using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>Gives a new ingress that names no class the one that is marked as the default; of several the newest.</summary>
internal sealed class DefaultIngressClass(IObjectReader objects) : AdmissionPlugin("DefaultIngressClass")
{
    private const string IsDefault = "ingressclass.kubernetes.io/is-default-class";
    private const string Annotation = "kubernetes.io/ingress.class";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && resource is { Group: "networking.k8s.io", Plural: "ingresses" } && subresource.Length == 0;

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } ingress || ingress.At("spec", "ingressClassName") is not null || ingress.At("metadata", "annotations", Annotation) is not null) return;
        var found = (await objects.ListAsync(RbacResources.IngressClasses, null, ct))
            .Where(static c => c.Text("metadata", "annotations", IsDefault) == "true")
            .OrderByDescending(static c => Created(c)).ThenBy(static c => c.Name(), StringComparer.Ordinal).FirstOrDefault();
        if (found is null) return;
        if (ingress["spec"] is not JsonObject spec) ingress["spec"] = spec = [];
        spec["ingressClassName"] = found.Name();
    }

    private static DateTime Created(JsonObject obj) =>
        DateTime.TryParse(obj.Text("metadata", "creationTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var at) ? at : DateTime.MinValue;
}
