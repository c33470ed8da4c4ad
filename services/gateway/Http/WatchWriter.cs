using System.Buffers;
using Mesh.Api.Codecs;
using Mesh.Api.Meta.V1;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>
/// Sends a watch as JSON lines or length-prefixed protobuf frames. An object's bytes are the cache's own; around them goes a constant,
/// so that a thousand watchers cost a thousand copies into sockets and nothing else.
/// </summary>
internal static class WatchWriter
{
    /// <summary>Runs until the batches end, the time is over or the client is gone. Whatever ends it ends the response normally.</summary>
    public static async Task RunAsync(HttpContext context, IAsyncEnumerable<WatchBatch> batches, ObjectEncoder encoder, CancellationToken ct)
    {
        var response = context.Response;
        response.ContentType = encoder.Representation.StreamContentType;
        response.Headers.CacheControl = "no-cache, private";
        var writer = response.BodyWriter;
        await writer.FlushAsync(CancellationToken.None);
        var protobuf = encoder.Representation.Format == BodyFormat.Protobuf;
        try
        {
            await foreach (var batch in batches)
            {
                foreach (var (type, entry) in batch.Events) Write(writer, Name(type), encoder, entry, protobuf);
                if (batch.Bookmark > 0) Write(writer, "BOOKMARK", encoder.EncodeBookmark(batch.Bookmark, batch.InitialEventsEnd), protobuf);
                if (batch.Error is { } error) Write(writer, "ERROR", EncodeError(error, protobuf), protobuf);
                var flushed = await writer.FlushAsync(ct);
                if (flushed.IsCompleted) return;
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over or the client went: both are the normal end of a watch.
        }
    }

    private static void Write(System.IO.Pipelines.PipeWriter writer, string type, ObjectEncoder encoder, CacheEntry entry, bool protobuf)
    {
        if (protobuf)
        {
            Write(writer, type, encoder.Encode(entry), protobuf);
            return;
        }

        WriteType(writer, type);
        encoder.Write(writer, entry);
        writer.Write("}\n"u8);
    }

    private static void Write(System.IO.Pipelines.PipeWriter writer, string type, byte[] encoded, bool protobuf)
    {
        if (protobuf)
        {
            writer.Write(ProtobufCodec.EncodeWatchFrame(type, encoded));
            return;
        }

        WriteType(writer, type);
        writer.Write(encoded);
        writer.Write("}\n"u8);
    }

    private static void WriteType(System.IO.Pipelines.PipeWriter writer, string type)
    {
        writer.Write("{\"type\":\""u8);
        System.Text.EncodingExtensions.GetBytes(System.Text.Encoding.UTF8, type, writer);
        writer.Write("\",\"object\":"u8);
    }

    private static byte[] EncodeError(Status error, bool protobuf) =>
        ObjectEncoder.Encode(ResponseWriter.StatusTree(error), new Representation(protobuf ? BodyFormat.Protobuf : BodyFormat.Json, ObjectShape.Full));

    private static string Name(ChangeType type) => type switch
    {
        ChangeType.Added => "ADDED",
        ChangeType.Modified => "MODIFIED",
        ChangeType.Deleted => "DELETED",
        _ => "BOOKMARK",
    };
}
