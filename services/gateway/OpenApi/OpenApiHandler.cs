using Mesh.Api;
using Mesh.Gateway.Discovery;
using Mesh.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.OpenApi;

/// <summary>Serves /openapi/v2 (JSON or protobuf, by Accept) and /openapi/v3.</summary>
internal sealed class OpenApiHandler : IApiDocuments
{
    private const string Prefix = "/openapi/v3/";
    private readonly OpenApiDocuments documents = new(ResourceTable.All, VersionInfo.GitVersion);

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
    {
        var path = (context.Request.Path.Value ?? string.Empty).TrimEnd('/');
        if (!path.StartsWith("/openapi/", StringComparison.Ordinal) || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
            return false;
        if (path == "/openapi/v2")
        {
            var protobuf = context.Request.Headers.Accept.ToString().Contains("proto-openapi.spec.v2", StringComparison.Ordinal);
            await DocumentResponse.SendAsync(context, protobuf ? documents.V2Protobuf : documents.V2Json, protobuf ? OpenApiDocuments.V2ProtobufContentType : "application/json", ct);
            return true;
        }

        var document = path == "/openapi/v3" ? documents.Index : path.StartsWith(Prefix, StringComparison.Ordinal) ? documents.V3(path[Prefix.Length..]) : null;
        if (document is null)
            return false;

        // A URL with the document's own hash never changes its answer.
        if (context.Request.Query["hash"] == document.Hash)
            context.Response.Headers.CacheControl = "public, immutable";
        await DocumentResponse.SendAsync(context, document, "application/json", ct);
        return true;
    }
}
