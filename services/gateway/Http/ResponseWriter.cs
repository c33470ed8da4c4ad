using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Answers: objects, lists and Statuses, compressed when asked and worth it.</summary>
internal static class ResponseWriter
{
    /// <summary>Bodies larger than this are compressed for clients that accept gzip, bytes.</summary>
    public const int CompressFrom = 128 * 1024;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, IndentSize = 2, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Bytes as an answer.</summary>
    public static async ValueTask WriteAsync(
        HttpContext context, int code, ReadOnlyMemory<byte> body, Representation representation, CancellationToken ct, string? contentType = null, string? cacheControl = null)
    {
        if (representation is { Pretty: true, Format: BodyFormat.Json }) body = Indent(body.Span);
        var response = context.Response;
        response.StatusCode = code;
        response.ContentType = contentType ?? representation.ContentType;
        response.Headers.CacheControl = cacheControl ?? "no-cache, private";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        if (body.Length <= CompressFrom || !AcceptsGzip(context))
        {
            response.ContentLength = body.Length;
            await response.BodyWriter.WriteAsync(body, ct);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await gzip.WriteAsync(body, ct);
    }

    /// <summary>A list in JSON, item by item from the cache's bytes: no copy of the whole.</summary>
    public static async ValueTask WriteJsonListAsync(HttpContext context, ObjectEncoder encoder, ListPage page, CancellationToken ct)
    {
        var (kind, version) = encoder.ListKind();
        var size = 0L;
        foreach (var entry in page.Items) size += entry.JsonLength;
        if (encoder.Representation.Pretty)
        {
            var buffer = new ArrayBufferWriter<byte>((int)Math.Min(size + 1024, int.MaxValue));
            WriteHead(buffer, kind, version, page);
            for (var i = 0; i < page.Items.Count; i++) WriteItem(buffer, encoder, page.Items[i], i);
            buffer.Write("]}\n"u8);
            await WriteAsync(context, 200, buffer.WrittenMemory, encoder.Representation, ct);
            return;
        }

        var response = context.Response;
        response.ContentType = encoder.Representation.ContentType;
        response.Headers.CacheControl = "no-cache, private";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        if (size <= CompressFrom || !AcceptsGzip(context))
        {
            await WriteItemsAsync(response.BodyWriter, encoder, page, ct);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        response.Headers.Vary = "Accept-Encoding";
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        var writer = PipeWriter.Create(gzip, new StreamPipeWriterOptions(leaveOpen: true));
        await WriteItemsAsync(writer, encoder, page, ct);
        await writer.CompleteAsync();

        async ValueTask WriteItemsAsync(PipeWriter writer, ObjectEncoder encoder, ListPage page, CancellationToken ct)
        {
            WriteHead(writer, kind, version, page);
            for (var i = 0; i < page.Items.Count; i++)
            {
                WriteItem(writer, encoder, page.Items[i], i);
                if (writer.UnflushedBytes > 64 * 1024) await writer.FlushAsync(ct);
            }

            writer.Write("]}\n"u8);
            await writer.FlushAsync(ct);
        }
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

    private static void WriteHead(IBufferWriter<byte> writer, string kind, string version, ListPage page)
    {
        var head = new JsonObject { ["kind"] = kind, ["apiVersion"] = version, ["metadata"] = ObjectEncoder.ListMeta(page.Revision, page.Continue, page.Remaining) };
        var bytes = JsonBytes.Write(head);
        writer.Write(bytes.AsSpan(0, bytes.Length - 1));
        writer.Write(",\"items\":["u8);
    }

    private static void WriteItem(IBufferWriter<byte> writer, ObjectEncoder encoder, CacheEntry entry, int index)
    {
        if (index > 0) writer.Write(","u8);
        encoder.WriteItem(writer, entry);
    }

    private static bool AcceptsGzip(HttpContext context) =>
        context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    private static ReadOnlyMemory<byte> Indent(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length * 2);
        using (var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = 512 }))
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            document.WriteTo(writer);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }
}
