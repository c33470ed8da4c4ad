using System.Globalization;
using System.Text.Json;

namespace Mesh.Api.Codecs;

/// <summary>
/// What a strict reader of patches objects to in the patch itself, before it is applied: fields that stand twice in an object, and fields that no operation of a
/// JSON patch has. At most 100 messages, each once, in the order of the text.
/// </summary>
public static class JsonDoubles
{
    private const int Most = 100;

    /// <summary>`duplicate field "spec.paused"` for each doubled field of a merge patch.</summary>
    /// <exception cref="DecodeException">No JSON.</exception>
    public static IReadOnlyList<string> OfDocument(ReadOnlySpan<byte> utf8) => Find(utf8, "", isOperations: false);

    /// <summary>The same of a JSON patch (RFC 6902): `json patch unknown field "[0].foo"`, `json patch duplicate field "[1].path"`.</summary>
    /// <exception cref="DecodeException">No JSON.</exception>
    public static IReadOnlyList<string> OfJsonPatch(ReadOnlySpan<byte> utf8) => Find(utf8, "json patch ", isOperations: true);

    private static List<string> Find(ReadOnlySpan<byte> utf8, string prefix, bool isOperations)
    {
        var found = new List<string>();
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = JsonCodec.MaxDepth });
        try
        {
            reader.Read();
            Value(ref reader, "", isOperations ? 2 : 0);
            return found;
        }
        catch (JsonException e)
        {
            throw JsonErrors.Syntax(utf8, e);
        }
        catch (InvalidOperationException e)
        {
            throw new DecodeException("invalid UTF-8 or surrogate in string literal", e);
        }

        // level: 2 for the list of operations, 1 for an operation, 0 for anything else.
        void Value(ref Utf8JsonReader reader, string path, int level)
        {
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
                    Value(ref reader, path + "[" + i.ToString(CultureInfo.InvariantCulture) + "]", level == 2 ? 1 : 0);
            }
            else if (reader.TokenType == JsonTokenType.StartObject)
            {
                Object(ref reader, path, level == 1);
            }
        }

        void Object(ref Utf8JsonReader reader, string path, bool isOperation)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                var at = path.Length == 0 ? name : path + "." + name;
                reader.Read();
                if (isOperation && name is not ("op" or "path" or "from" or "value"))
                {
                    Add("unknown", at);
                    reader.Skip();
                    continue;
                }

                if (!seen.Add(name)) Add("duplicate", at);
                Value(ref reader, at, 0);
            }
        }

        void Add(string what, string path)
        {
            var message = $"{prefix}{what} field \"{path}\"";
            if (found.Count < Most && !found.Contains(message)) found.Add(message);
        }
    }
}
