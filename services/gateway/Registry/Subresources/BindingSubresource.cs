using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Subresources;

/// <summary>POST pods/NAME/binding: places a pod.</summary>
internal sealed class BindingSubresource(GenericRegistry registry, PodBinder binder) : ISubresource
{
    /// <inheritdoc/>
    public string Id => "/pods/binding";

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct)
    {
        var name = ObjectMetaRules.Text(body, "name");
        if (name.Length > 0 && name != request.Name)
            throw new ApiException(Statuses.BadRequest("name in URL does not match name in Binding object"));
        await BindAsync(registry, binder, request, body, ct);
        return new SubresourceAnswer(Success(), 201);
    }

    /// <summary>Binds as a Binding object says.</summary>
    internal static async ValueTask BindAsync(GenericRegistry registry, PodBinder binder, RequestContext request, JsonObject body, CancellationToken ct)
    {
        await registry.AdmitSubresourceAsync(request, body, ct);
        var target = body["target"] as JsonObject;
        if (target?["kind"]?.ToString() is { Length: > 0 } kind and not "Node")
            throw new ApiException(Statuses.Invalid("", "Binding", request.Name, [FieldError.NotSupported("target.kind", kind, "Node", "<empty>")]));
        await binder.BindAsync(request, target?["name"]?.ToString() ?? "", ObjectMetaRules.Text(body, "uid"), body["metadata"] as JsonObject, checkRoom: false, ct);
    }

    /// <summary>The Status of an action without an object.</summary>
    internal static JsonObject Success() => new() { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 };
}

/// <summary>POST bindings: the old form of pods/binding.</summary>
internal sealed class BindingsResource(GenericRegistry registry, PodBinder binder) : IVirtualResource
{
    /// <inheritdoc/>
    public bool Handles(ApiResource resource) => resource is { Group: "", Plural: "bindings" };

    /// <inheritdoc/>
    public async ValueTask<JsonObject> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct)
    {
        var pod = new RequestContext
        {
            User = request.User,
            Resource = PodBinder.Pods,
            Namespace = request.Namespace,
            Name = ObjectMetaRules.Text(body, "name"),
            Subresource = "binding",
            DryRun = request.DryRun,
        };
        await BindingSubresource.BindAsync(registry, binder, pod, body, ct);
        return BindingSubresource.Success();
    }
}
