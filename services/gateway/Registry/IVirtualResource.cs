using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry;

/// <summary>A resource that is not stored: reviews (create only) and component statuses (get, list).</summary>
internal interface IVirtualResource
{
    /// <summary>Whether this handles the resource.</summary>
    bool Handles(ApiResource resource);

    /// <summary>POST: the answer to the question.</summary>
    ValueTask<JsonObject> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct) =>
        throw new ApiException(Statuses.MethodNotAllowed());

    /// <summary>GET of one.</summary>
    ValueTask<JsonObject> GetAsync(RequestContext request, CancellationToken ct) =>
        throw new ApiException(Statuses.MethodNotAllowed());

    /// <summary>GET of all.</summary>
    ValueTask<IReadOnlyList<JsonObject>> ListAsync(RequestContext request, CancellationToken ct) =>
        throw new ApiException(Statuses.MethodNotAllowed());
}
