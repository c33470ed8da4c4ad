using System.Text.Json.Nodes;
using Mesh.Gateway.Authentication;

namespace Mesh.Gateway.Registry.Subresources;

/// <summary>POST serviceaccounts/NAME/token: a token for the account.</summary>
internal sealed class TokenSubresource(GenericRegistry registry, TokenRequests tokens) : ISubresource
{
    /// <inheritdoc/>
    public string Id => "/serviceaccounts/token";

    /// <inheritdoc/>
    public async ValueTask<SubresourceAnswer> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct)
    {
        await registry.AdmitSubresourceAsync(request, body, ct);
        return new SubresourceAnswer(await tokens.IssueAsync(request.Namespace ?? "", request.Name, body, ct), 201);
    }
}
