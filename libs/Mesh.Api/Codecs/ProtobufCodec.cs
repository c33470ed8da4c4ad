using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>
/// `application/vnd.kubernetes.protobuf`: the magic `k8s\0` followed by runtime.Unknown (typeMeta 1, raw 2, contentEncoding 3,
/// contentType 4) with the object's message as raw. Watch frames are a big-endian 32-bit length and a bare WatchEvent whose
/// object is enveloped.
/// </summary>
public static class ProtobufCodec
{
    /// <summary>The media type.</summary>
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    /// <summary>True when the body starts with the magic.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> body) => body.StartsWith(Magic);

    /// <summary>apiVersion and kind of an enveloped body.</summary>
    /// <exception cref="DecodeException">No envelope, or a broken one.</exception>
    public static TypeMeta ReadTypeMeta(ReadOnlySpan<byte> body) => ReadEnvelope(body, out _);

    /// <summary>Decodes an enveloped body of a built-in kind.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="fallback">The kind to assume when the envelope names none (options sent without type).</param>
    /// <exception cref="DecodeException">Broken, or of a kind that is not known.</exception>
    public static JsonObject Decode(ReadOnlySpan<byte> body, KindSchema? fallback = null)
    {
        var meta = ReadEnvelope(body, out var raw);
        var kind = meta.Kind.Length == 0 ? fallback : ApiSchema.Builtin.FindKind(meta.ApiVersion, meta.Kind);
        if (kind is null)
            throw new DecodeException($"no kind \"{meta.Kind}\" is registered for version \"{meta.ApiVersion}\"");
        return DecodeMessage(raw, kind, 0);
    }

    /// <summary>Decodes a bare message of a kind.</summary>
    /// <exception cref="DecodeException">Broken.</exception>
    public static JsonObject DecodeMessage(ReadOnlySpan<byte> message, KindSchema kind) => DecodeMessage(message, kind, 0);

    /// <summary>Encodes an object with its envelope.</summary>
    /// <exception cref="DecodeException">A value does not fit its field.</exception>
    public static byte[] Encode(JsonObject source, KindSchema kind)
    {
        var writer = new ProtoWriter();
        EncodeEnvelope(writer, source, kind);
        return writer.ToArray();
    }

    /// <summary>Encodes the bare message of an object.</summary>
    /// <exception cref="DecodeException">A value does not fit its field.</exception>
    public static byte[] EncodeMessage(JsonObject source, TypeSchema type)
    {
        var writer = new ProtoWriter();
        ProtobufEncoder.Encode(writer, type, source);
        return writer.ToArray();
    }

    /// <summary>One frame of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR (a Status) with its object.</summary>
    /// <exception cref="DecodeException">A value does not fit its field.</exception>
    public static byte[] EncodeWatchFrame(string type, JsonObject source, KindSchema kind)
    {
        var writer = new ProtoWriter();
        EncodeEnvelope(writer, source, kind);
        return Frame(writer, type);
    }

    /// <summary>One frame of a watch around an object that is already enveloped (one encoding serves every watcher).</summary>
    public static byte[] EncodeWatchFrame(string type, ReadOnlySpan<byte> envelope)
    {
        var writer = new ProtoWriter(envelope.Length + type.Length + 32);
        writer.Raw(envelope);
        return Frame(writer, type);
    }

    /// <summary>Reads the WatchEvent of one frame, without its length prefix.</summary>
    /// <exception cref="DecodeException">Broken, or of a kind that is not known.</exception>
    public static (string Type, JsonObject? Object) DecodeWatchEvent(ReadOnlySpan<byte> frame)
    {
        var type = "";
        JsonObject? source = null;
        var reader = new ProtoReader(frame);
        while (reader.Next())
        {
            if (reader.Number is not (1 or 2))
            {
                reader.Skip();
                continue;
            }

            reader.Expect(2, "WatchEvent");
            if (reader.Number == 1)
                type = ProtobufDecoder.Text(reader.Bytes());
            else
                source = WellKnownProto.ReadRaw(reader.Bytes(), 0) as JsonObject;
        }

        return (type, source);
    }

    /// <summary>What comes before an envelope's raw: the magic and whose message it is.</summary>
    internal static void WriteTypeMeta(ProtoWriter writer, KindSchema kind)
    {
        var before = writer.Length;
        writer.StringField(2, kind.Kind);
        writer.StringField(1, kind.ApiVersion);
        writer.Close(1, before);
        writer.Raw(Magic);
    }

    internal static JsonObject DecodeEnvelope(ReadOnlySpan<byte> body, int depth)
    {
        var meta = ReadEnvelope(body, out var raw);
        var kind = ApiSchema.Builtin.FindKind(meta.ApiVersion, meta.Kind)
            ?? throw new DecodeException($"no kind \"{meta.Kind}\" is registered for version \"{meta.ApiVersion}\"");
        return DecodeMessage(raw, kind, depth);
    }

    private static JsonObject DecodeMessage(ReadOnlySpan<byte> message, KindSchema kind, int depth)
    {
        var target = new JsonObject { ["kind"] = kind.Kind, ["apiVersion"] = kind.ApiVersion };
        ProtobufDecoder.DecodeInto(target, kind.Type, message, depth);
        return target;
    }

    private static void EncodeEnvelope(ProtoWriter writer, JsonObject source, KindSchema kind)
    {
        writer.StringField(4, "");
        writer.StringField(3, "");
        var before = writer.Length;
        ProtobufEncoder.Encode(writer, kind.Type, source);
        writer.Close(2, before);
        WriteTypeMeta(writer, kind);
    }

    private static byte[] Frame(ProtoWriter writer, string type)
    {
        writer.Close(1, 0);
        writer.Close(2, 0);
        writer.StringField(1, type);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, writer.Length);
        writer.Raw(length);
        return writer.ToArray();
    }

    private static TypeMeta ReadEnvelope(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> raw)
    {
        if (!IsEnvelope(body))
            throw new DecodeException("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        raw = default;
        var meta = default(TypeMeta);
        var reader = new ProtoReader(body[Magic.Length..]);
        while (reader.Next())
        {
            switch (reader.Number)
            {
                case 1:
                    reader.Expect(2, "TypeMeta");
                    meta = ReadMeta(reader.Bytes());
                    break;
                case 2:
                    reader.Expect(2, "Raw");
                    raw = reader.Bytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new TypeMeta(meta.ApiVersion ?? "", meta.Kind ?? "");
    }

    private static TypeMeta ReadMeta(ReadOnlySpan<byte> data)
    {
        var apiVersion = "";
        var kind = "";
        var reader = new ProtoReader(data);
        while (reader.Next())
        {
            if (reader.Number is not (1 or 2))
            {
                reader.Skip();
                continue;
            }

            reader.Expect(2, "TypeMeta");
            if (reader.Number == 1)
                apiVersion = ProtobufDecoder.Text(reader.Bytes());
            else
                kind = ProtobufDecoder.Text(reader.Bytes());
        }

        return new TypeMeta(apiVersion, kind);
    }
}
