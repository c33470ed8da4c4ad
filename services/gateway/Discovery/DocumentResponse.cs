using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Discovery;

/// <summary>Sends a document: 304 when the client has it already, compressed when it is large and the client asks for that.</summary>
internal static class DocumentResponse
{
    private const int LargeFrom = 128 * 1024;

    public static async Task SendAsync(HttpContext context, ServedDocument document, string contentType, CancellationToken ct)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = document.ETag;
        response.Headers.Vary = "Accept";
        if (request.Headers.IfNoneMatch.ToString() == document.ETag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = contentType;
        if (HttpMethods.IsHead(request.Method))
        {
            response.ContentLength = document.Body.Length;
        }
        else if (document.Body.Length > LargeFrom && request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            await using var zip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await zip.WriteAsync(document.Body, ct);
        }
        else
        {
            response.ContentLength = document.Body.Length;
            await response.Body.WriteAsync(document.Body, ct);
        }
    }
}
