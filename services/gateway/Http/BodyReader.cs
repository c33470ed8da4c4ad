using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>Bodies of requests: bounded, and decoded along the schema whatever their encoding.</summary>
internal static class BodyReader
{
    /// <summary>Largest body, bytes.</summary>
    public const int Limit = 3 * 1024 * 1024;

    // How much of a body that is refused is read to keep the connection, bytes.
    private const int Drained = 256 * 1024;

    private static readonly string[] Accepted = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

    /// <summary>The whole body.</summary>
    /// <exception cref="ApiException">413 when it is too large.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength > Limit) throw TooLarge(request);
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (read.Buffer.Length > Limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw TooLarge(request);
            }

            if (read.IsCompleted)
            {
                var bytes = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
                reader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>The format a Content-Type names.</summary>
    /// <exception cref="ApiException">415.</exception>
    public static BodyFormat Format(string? contentType)
    {
        if (string.IsNullOrEmpty(contentType)) return BodyFormat.Json;
        return MediaRange.Parse(contentType).Type switch
        {
            "application/json" => BodyFormat.Json,
            "application/yaml" => BodyFormat.Yaml,
            "application/vnd.kubernetes.protobuf" => BodyFormat.Protobuf,
            _ => throw new ApiException(Statuses.UnsupportedMediaType(Accepted)),
        };
    }

    /// <summary>Decodes an object of the expected kind; unknown fields are dropped and warned about, or refused.</summary>
    /// <exception cref="ApiException">400 with Kubernetes' words.</exception>
    public static JsonObject Decode(ReadOnlyMemory<byte> body, BodyFormat format, KindSchema expected, FieldValidation validation, List<string> warnings)
    {
        var strict = validation == FieldValidation.Ignore ? null : new List<string>();
        var json = Recognized(body, format, expected, strict);
        JsonObject obj;
        try
        {
            obj = format == BodyFormat.Protobuf ? ProtobufCodec.Decode(body.Span, expected) : JsonCodec.Decode(json.Span, expected.Type, strict);
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest($"{expected.Kind} in version {GoText.Quote(expected.Version)} cannot be handled as a {expected.Kind}: {e.Message}"), e);
        }

        if (strict is { Count: > 0 })
        {
            if (validation == FieldValidation.Strict)
            {
                throw new ApiException(Statuses.BadRequest(
                    $"{expected.Kind} in version {GoText.Quote(expected.Version)} cannot be handled as a {expected.Kind}: {StrictErrors.Text(strict)}"));
            }

            StrictErrors.Warn(warnings, strict);
        }

        obj["kind"] = expected.Kind;
        obj["apiVersion"] = expected.ApiVersion;
        return obj;
    }

    /// <summary>The body as JSON (protobuf as it is), once its apiVersion and kind are known to be the expected ones.</summary>
    private static ReadOnlyMemory<byte> Recognized(ReadOnlyMemory<byte> body, BodyFormat format, KindSchema expected, List<string>? strict)
    {
        try
        {
            var json = format == BodyFormat.Yaml ? YamlCodec.ToJson(body.Span, strict) : body;
            BodyKinds.Check(format == BodyFormat.Protobuf ? ProtobufCodec.ReadTypeMeta(body.Span) : JsonCodec.ReadTypeMeta(json.Span), expected);
            return json;
        }
        catch (DecodeException e)
        {
            throw new ApiException(Statuses.BadRequest(
                $"the object provided is unrecognized (must be of type {expected.Kind}): {e.Message} ({BodyKinds.Summary(body.Span)})"), e);
        }
    }

    // Who still has much to say is not listened to: the connection ends with the answer. The length is not always told beforehand.
    private static ApiException TooLarge(HttpRequest request)
    {
        if (request.Protocol.StartsWith("HTTP/1", StringComparison.Ordinal) && request.ContentLength is not <= Limit + Drained) request.HttpContext.Response.Headers.Connection = "close";
        return TooLarge();
    }

    private static ApiException TooLarge() => new(Statuses.RequestEntityTooLarge($"limit is {Limit}"));
}
