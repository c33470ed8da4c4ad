using Mesh.Api;

namespace Mesh.Gateway.Admission;

/// <summary>Base of the plugins: a plugin overrides the half it needs.</summary>
internal abstract class AdmissionPlugin(string name) : IAdmissionPlugin
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public abstract bool Handles(AdmissionOperation operation, ApiResource resource, string subresource);

    /// <inheritdoc/>
    public virtual ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public virtual ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct) => ValueTask.CompletedTask;

    /// <summary>A 403 about the object of the request: <c>pods "a" is forbidden: why</c>.</summary>
    protected static ApiException Forbidden(AdmissionAttributes attributes, string why)
    {
        var name = attributes.Name.Length > 0 ? attributes.Name : Authorization.JsonRead.Name(attributes.Object);
        if (name.Length == 0) name = Authorization.JsonRead.Text(attributes.Object, "metadata", "generateName");
        if (name.Length == 0) name = "Unknown";
        return Statuses.Forbidden(attributes.Resource.Group, attributes.Resource.Plural, name, why).ToException();
    }

    /// <summary>Whether it is the pod resource of the core group.</summary>
    protected static bool IsPod(ApiResource resource) => resource is { Group: "", Plural: "pods" };
}
