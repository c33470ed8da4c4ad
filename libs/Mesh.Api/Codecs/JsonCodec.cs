using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Codecs;

/// <summary>
/// JSON bodies. Decoding keeps what the schema knows, drops the rest and nulls as Go does, and brings quantities, times and
/// numbers into the form Kubernetes stores.
/// </summary>
public static class JsonCodec
{
    /// <summary>Deepest nesting accepted.</summary>
    public const int MaxDepth = 400;

    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>Decodes a body of a known type.</summary>
    /// <param name="utf8">The body.</param>
    /// <param name="type">Its type.</param>
    /// <param name="strict">
    /// When given, receives `unknown field "spec.foo"` and `duplicate field "spec.foo"`, at most 100 of them. Nothing is
    /// refused because of them here.
    /// </param>
    /// <exception cref="DecodeException">No JSON, too deep, no object, or a value of the wrong type.</exception>
    public static JsonObject Decode(ReadOnlySpan<byte> utf8, TypeSchema type, ICollection<string>? strict = null)
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        try
        {
            reader.Read();
            var decoded = new JsonDecoder(strict).Root(ref reader, type);
            reader.Read();
            return decoded;
        }
        catch (JsonException e)
        {
            throw JsonErrors.Syntax(utf8, e);
        }
        catch (InvalidOperationException e)
        {
            throw new DecodeException("invalid UTF-8 or surrogate in string literal", e);
        }
    }

    /// <summary>Decodes any JSON object without a schema; of doubled keys the last one counts.</summary>
    /// <exception cref="DecodeException">No JSON object.</exception>
    public static JsonObject DecodeAny(ReadOnlySpan<byte> utf8) =>
        DecodeAnyValue(utf8) as JsonObject ?? throw new DecodeException("json: cannot unmarshal into Go value of type map[string]interface {}");

    /// <summary>Decodes any JSON value without a schema (a JSON patch is an array); of doubled keys the last one counts.</summary>
    /// <exception cref="DecodeException">No JSON.</exception>
    public static JsonNode? DecodeAnyValue(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        try
        {
            reader.Read();
            var decoded = JsonDecoder.Any(ref reader);
            reader.Read();
            return decoded;
        }
        catch (JsonException e)
        {
            throw JsonErrors.Syntax(utf8, e);
        }
        catch (InvalidOperationException e)
        {
            throw new DecodeException("invalid UTF-8 or surrogate in string literal", e);
        }
    }

    /// <summary>apiVersion and kind of a body, without decoding the rest.</summary>
    /// <exception cref="DecodeException">No JSON object, or one of them is no string.</exception>
    public static TypeMeta ReadTypeMeta(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        var apiVersion = "";
        var kind = "";
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Header($"json: cannot unmarshal {JsonErrors.ValueName(ref reader)} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isVersion = reader.ValueTextEquals("apiVersion"u8);
                var isKind = reader.ValueTextEquals("kind"u8);
                reader.Read();
                if (isVersion)
                    apiVersion = HeaderText(ref reader, "apiVersion");
                else if (isKind)
                    kind = HeaderText(ref reader, "kind");
                else
                    reader.Skip();
            }
        }
        catch (JsonException e)
        {
            throw Header(JsonErrors.Syntax(utf8, e).Message);
        }
        catch (InvalidOperationException)
        {
            throw Header("invalid UTF-8 or surrogate in string literal");
        }

        return new TypeMeta(apiVersion, kind);
    }

    private static string HeaderText(ref Utf8JsonReader reader, string field) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString()!,
        JsonTokenType.Null => "",
        _ => throw Header($"json: cannot unmarshal {JsonErrors.ValueName(ref reader)} into Go struct field .{field} of type string"),
    };

    private static DecodeException Header(string message) => new("couldn't get version/kind; json parse error: " + message);
}
