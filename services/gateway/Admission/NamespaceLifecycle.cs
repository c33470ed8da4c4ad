using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>Nothing is created in a namespace that is not there or is going away; the system's own namespaces cannot be deleted.</summary>
internal sealed class NamespaceLifecycle(IObjectReader objects) : AdmissionPlugin("NamespaceLifecycle")
{
    private static readonly HashSet<string> Immortal = ["default", "kube-system", "kube-public"];

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        IsNamespace(resource)
            ? operation == AdmissionOperation.Delete && subresource.Length == 0
            : operation is AdmissionOperation.Create or AdmissionOperation.Update && resource.Namespaced && resource.Kind != "LocalSubjectAccessReview";

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (IsNamespace(attributes.Resource))
        {
            if (Immortal.Contains(attributes.Name)) throw Forbidden(attributes, "this namespace may not be deleted");
            return;
        }

        if (attributes.Namespace is not { Length: > 0 } ns) return;
        var found = await objects.GetAsync(RbacResources.Namespaces, null, ns, ct);

        // The cache may lag behind a client that has just made the namespace.
        found ??= await objects.GetFreshAsync(RbacResources.Namespaces, null, ns, ct);
        if (found is null) throw Statuses.NotFound(RbacResources.Namespaces, ns).ToException();
        if (attributes.Operation != AdmissionOperation.Create || found.Text("status", "phase") != "Terminating") return;

        var refusal = Forbidden(attributes, $"unable to create new content in namespace {ns} because it is being terminated");
        refusal.Status.Details!.Causes = [new() { Reason = "NamespaceTerminating", Message = $"namespace {ns} is being terminated", Field = "metadata.namespace" }];
        throw refusal;
    }

    private static bool IsNamespace(ApiResource resource) => resource is { Group: "", Plural: "namespaces" };
}
