using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Documents about the API itself: discovery (/api, /apis), OpenAPI (/openapi). They come after authentication and authorization.</summary>
internal interface IApiDocuments
{
    /// <summary>Answers the request; false when the path is none of its own.</summary>
    ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct);
}
