using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authentication;
using Mesh.Gateway.Authorization;

namespace Mesh.Gateway.Registry;

/// <summary>Questions about who and what is allowed: token, subject and access reviews. Nothing is stored.</summary>
internal sealed class ReviewResources(AccessReviews access, TokenRequests tokens) : IVirtualResource
{
    /// <inheritdoc/>
    public bool Handles(ApiResource resource) => resource is { Group: "authorization.k8s.io" } or { Group: "authentication.k8s.io" };

    /// <inheritdoc/>
    public ValueTask<JsonObject> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct) => request.Resource.Plural switch
    {
        "tokenreviews" => tokens.ReviewAsync(body, ct),
        "selfsubjectreviews" => new(tokens.WhoAmI(body, request.User)),
        _ => access.CreateAsync(request.Resource, request.Namespace ?? "", body, request.User, ct),
    };
}
