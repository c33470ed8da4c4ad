using System.IO.Compression;
using Mesh.Gateway.Http;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Discovery;

/// <summary>Sends a document: 304 when the client has it already, compressed when it is large and the client asks for that.</summary>
internal static class DocumentResponse
{
    private const int LargeFrom = 128 * 1024;

    /// <summary>Sends a document in the encoding that was asked for; the media type has its own and these parameters.</summary>
    public static Task SendNegotiatedAsync(HttpContext context, ServedDocument document, Representation form, string parameters, CancellationToken ct)
    {
        var body = form.Format == BodyFormat.Json && Representation.IsPretty(context.Request) ? ResponseWriter.Indent(document.Body) : document.In(form.Format);
        context.Response.Headers.CacheControl = "public";
        return SendAsync(context, body, document.ETag, form.ContentType + parameters, ct);
    }

    /// <summary>Sends a document as it is.</summary>
    public static Task SendAsync(HttpContext context, ServedDocument document, string contentType, CancellationToken ct) =>
        SendAsync(context, document.Body, document.ETag, contentType, ct);

    private static async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body, string etag, string contentType, CancellationToken ct)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = etag;
        response.Headers.Vary = "Accept";
        if (request.Headers.IfNoneMatch.ToString() == etag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = contentType;
        if (HttpMethods.IsHead(request.Method))
        {
            response.ContentLength = body.Length;
        }
        else if (body.Length > LargeFrom && request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.ContentEncoding = "gzip";
            await using var zip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await zip.WriteAsync(body, ct);
        }
        else
        {
            response.ContentLength = body.Length;
            await response.Body.WriteAsync(body, ct);
        }
    }
}
