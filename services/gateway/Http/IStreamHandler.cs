using Mesh.Api;
using Mesh.Security;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>A subresource that answers with a stream and not with an object: log, exec, attach, portforward, proxy.</summary>
internal interface IStreamHandler
{
    /// <summary>Whether the request is one of these.</summary>
    bool Handles(RequestInfo info);

    /// <summary>Answers an authorized request.</summary>
    Task HandleAsync(HttpContext http, RequestInfo info, ApiResource resource, UserInfo user, CancellationToken ct);
}
