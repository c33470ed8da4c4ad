using System.Globalization;
using Mesh.Gateway.Discovery;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.OpenApi;

/// <summary>Serves /openapi/v2 (JSON or protobuf, by Accept) and /openapi/v3 (JSON); 406 without a body to who accepts neither.</summary>
internal sealed class OpenApiHandler(ServedResources served, SharedDocuments shared, TimeProvider time) : IApiDocuments
{
    private const string Prefix = "/openapi/v3/";
    private readonly OpenApiDocuments documents = new(served.All, VersionInfo.GitVersion);

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext context, CancellationToken ct)
    {
        var path = context.Request.Path.Value ?? string.Empty;
        if (!path.StartsWith("/openapi/", StringComparison.Ordinal))
            return false;
        if (path == "/openapi/v2")
        {
            if (IsProtobuf(context.Request.Headers.Accept.ToString(), "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", OpenApiDocuments.V2ProtobufContentType) is not { } protobuf)
            {
                context.Response.StatusCode = StatusCodes.Status406NotAcceptable;
                return true;
            }

            var second = await shared.GetAsync(protobuf ? "openapi v2 protobuf" : "openapi v2", () => protobuf ? documents.V2Protobuf : documents.V2Json, ct);
            await DocumentResponse.SendAsync(context, second, protobuf ? OpenApiDocuments.V2ProtobufContentType : "application/json", ct);
            return true;
        }

        // The name goes into the cache of all gateways: only one that there is.
        var third = path is "/openapi/v3" ? "" : path.StartsWith(Prefix, StringComparison.Ordinal) ? path[Prefix.Length..] : null;
        if (third is null || (third.Length > 0 && !documents.Has(third)))
            return false;
        if (third.Length > 0 && IsProtobuf(context.Request.Headers.Accept.ToString()) is null)
        {
            context.Response.StatusCode = StatusCodes.Status406NotAcceptable;
            return true;
        }

        var document = await shared.GetAsync("openapi v3 " + third, () => third.Length == 0 ? documents.Index : documents.V3(third)!, ct);

        if (third.Length > 0 && context.Request.Query["hash"].ToString() is { Length: > 0 } hash)
        {
            // A URL with the document's own hash never changes its answer; one with another leads to it.
            if (hash != document.Hash)
            {
                context.Response.Redirect($"{Prefix}{third}?hash={document.Hash}", permanent: true);
                return true;
            }

            context.Response.Headers.CacheControl = "public, immutable";
            context.Response.Headers.Expires = time.GetUtcNow().AddYears(1).ToString("R", CultureInfo.InvariantCulture);
        }

        await DocumentResponse.SendAsync(context, document, "application/json", ct);
        return true;
    }

    /// <summary>Whether the best that the client accepts is one of these protobuf types (else it is JSON); null when it accepts none of what there is.</summary>
    private static bool? IsProtobuf(string accept, params string[] protobuf)
    {
        if (string.IsNullOrWhiteSpace(accept)) return false;
        foreach (var range in MediaRange.ParseList(accept))
        {
            if (range.Type is "application/json" or "application/*" or "*/*") return false;
            if (protobuf.Contains(range.Type)) return true;
        }

        return null;
    }
}
