using System.Buffers;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Gateway.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Answers: objects, lists and Statuses, compressed when asked and worth it.</summary>
internal static class ResponseWriter
{
    /// <summary>Bodies larger than this are compressed for clients that accept gzip, bytes.</summary>
    public const int CompressFrom = 128 * 1024;

    private const string NotCached = "no-cache, private";

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>JSON as people read it.</summary>
    internal static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object as an answer: JSON is a line with its end or, indented, lines without the last one's, as Go writes them.</summary>
    public static ValueTask WriteAsync(HttpContext context, int code, ReadOnlyMemory<byte> body, Representation representation, CancellationToken ct) =>
        representation switch
        {
            { Format: BodyFormat.Json, Pretty: true } => WriteBytesAsync(context, code, Indent(body.Span), default, representation.ContentType, ct),
            { Format: BodyFormat.Json } => WriteBytesAsync(context, code, body, LineEnd, representation.ContentType, ct),
            _ => WriteBytesAsync(context, code, body, default, representation.ContentType, ct),
        };

    /// <summary>A document as an answer, as it is.</summary>
    public static ValueTask WriteDocumentAsync(
        HttpContext context, ReadOnlyMemory<byte> body, CancellationToken ct, string contentType = "application/json", string cacheControl = NotCached) =>
        WriteBytesAsync(context, 200, body, default, contentType, ct, cacheControl);

    private static async ValueTask WriteBytesAsync(HttpContext context, int code, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> end, string contentType, CancellationToken ct, string cacheControl = NotCached)
    {
        var response = context.Response;
        response.StatusCode = code;
        response.ContentType = contentType;
        response.Headers.CacheControl = cacheControl;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        if (body.Length <= CompressFrom || !AcceptsGzip(context))
        {
            response.ContentLength = body.Length + end.Length;
            // Both are sent at once.
            response.BodyWriter.Write(body.Span);
            response.BodyWriter.Write(end.Span);
            await response.BodyWriter.FlushAsync(ct);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await gzip.WriteAsync(body, ct);
        await gzip.WriteAsync(end, ct);
    }

    /// <summary>A Status, in the format asked for when that is one of ours.</summary>
    public static ValueTask WriteStatusAsync(HttpContext context, Status status, Representation representation, CancellationToken ct)
    {
        if (status.Details?.RetryAfterSeconds is { } seconds and > 0) context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        else if (status.Code is 429 or 503 && status.Details?.Causes?.Exists(static c => c.Reason == "DisruptionBudget") != true) context.Response.Headers.RetryAfter = "1";
        var tree = StatusTree(status);
        return WriteAsync(context, status.Code ?? 200, ObjectEncoder.Encode(tree, representation), representation with { Shape = ObjectShape.Full }, ct);
    }

    /// <summary>A Status as a tree.</summary>
    public static JsonObject StatusTree(Status status)
    {
        var tree = CacheEntry.Parse(KubeJson.Serialize(status));
        if (tree["metadata"] is null) tree["metadata"] = new JsonObject();
        return tree;
    }

    /// <summary>Whether the client takes gzip.</summary>
    internal static bool AcceptsGzip(HttpContext context) =>
        context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    /// <summary>JSON as people read it.</summary>
    internal static ReadOnlyMemory<byte> Indent(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length * 2);
        using (var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = 512 }))
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            document.WriteTo(writer);
        }

        return buffer.WrittenMemory;
    }
}
