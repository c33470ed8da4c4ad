using System.IO.Compression;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http.Lists;

/// <summary>
/// Sends a list as fast as its reader takes it, in every encoding. What is short goes as one body with its length; of what is longer no more than a chunk is in memory
/// besides what the connection holds. An error before the first chunk is answered with a Status, one after it ends the connection: half a list must not look whole.
/// </summary>
internal static class ListResponse
{
    /// <summary>Bytes that are collected before they are sent.</summary>
    public const int Chunk = 64 * 1024;

    /// <summary>Writes a page in the encoder's representation.</summary>
    public static async ValueTask WriteAsync(HttpContext context, ObjectEncoder encoder, ListPage page, CancellationToken ct)
    {
        var writer = ListWriter.For(encoder, page);
        try
        {
            await WriteAsync(context, writer, encoder.Representation.ContentType, ct);
        }
        finally
        {
            (writer as IDisposable)?.Dispose();
        }
    }

    /// <summary>Writes what a writer makes.</summary>
    public static async ValueTask WriteAsync(HttpContext context, ListWriter writer, string contentType, CancellationToken ct)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-cache, private";
        writer.Prepare(ct);
        using var buffer = new PooledBuffer();
        Stream? to = null;
        writer.WriteHead(buffer);
        for (var i = 0; i < writer.Count; i++)
        {
            ct.ThrowIfCancellationRequested();
            writer.WriteItem(buffer, i);
            if (buffer.Length <= (to is null ? ResponseWriter.CompressFrom : Chunk)) continue;
            to ??= Begin(context, writer);
            await to.WriteAsync(buffer.Written, ct);
            buffer.Clear();
        }

        writer.WriteTail(buffer);
        if (to is null && buffer.Length > ResponseWriter.CompressFrom) to = Begin(context, writer);
        if (to is null)
        {
            response.ContentLength = buffer.Length;
            await response.BodyWriter.WriteAsync(buffer.Written, ct);
            return;
        }

        await to.WriteAsync(buffer.Written, ct);
        // Only now, not when something went wrong: disposing writes the end.
        if (to is GZipStream) await to.DisposeAsync();
    }

    private static Stream Begin(HttpContext context, ListWriter writer)
    {
        var response = context.Response;
        if (!ResponseWriter.AcceptsGzip(context))
        {
            response.ContentLength = writer.Length;
            return response.Body;
        }

        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        return new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
    }
}
