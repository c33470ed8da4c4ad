using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mesh.Api.Apply;

/// <summary>
/// The JSON form of a field set (metav1.FieldsV1): a path is nested objects named by its steps; `.` says that a path which has others below it is
/// in the set itself.
/// </summary>
public static class FieldsV1
{
    private const int MaxDepth = 512;
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = MaxDepth };

    /// <summary>The JSON of a set.</summary>
    public static byte[] Encode(FieldSet set)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Compact)) Write(writer, set, root: true);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The set of JSON bytes; null when they are none, or have a broken step. Steps of unknown kinds are left out.</summary>
    /// <param name="utf8">The JSON object.</param>
    /// <param name="trusted">Written here: its steps need not be brought into canonical form.</param>
    public static FieldSet? Decode(ReadOnlySpan<byte> utf8, bool trusted = false)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8, ReaderOptions);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? Read(ref reader, trusted, root: true) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether any path of the set is in the encoded one, told without decoding it.</summary>
    public static bool Overlaps(ReadOnlySpan<byte> utf8, FieldSet set)
    {
        if (set.IsEmpty) return false;
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        return reader.Read() && Overlaps(ref reader, set);
    }

    /// <summary>Whether every path of the set is in the encoded one, told without decoding it.</summary>
    public static bool Covers(ReadOnlySpan<byte> utf8, FieldSet set)
    {
        if (set.IsEmpty) return true;
        var reader = new Utf8JsonReader(utf8, ReaderOptions);
        return reader.Read() && Covers(ref reader, set, root: true);
    }

    private static void Write(Utf8JsonWriter writer, FieldSet set, bool root)
    {
        writer.WriteStartObject();
        if (set.IsMember && !root && set.Nodes.Length > 0)
        {
            writer.WriteStartObject("."u8);
            writer.WriteEndObject();
        }

        for (var i = 0; i < set.Nodes.Length; i++)
        {
            writer.WritePropertyName(set.Elements[i]);
            Write(writer, set.Nodes[i], root: false);
        }

        writer.WriteEndObject();
    }

    private static FieldSet Read(ref Utf8JsonReader reader, bool trusted, bool root)
    {
        var build = new FieldSetBuilder(0);
        var (member, any) = (false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            any = true;
            if (reader.ValueTextEquals("."u8))
            {
                member = true;
                reader.Read();
                reader.Skip();
                continue;
            }

            var text = reader.GetString()!;
            var element = trusted ? text : PathElement.Canonical(text);
            if (element is null && !PathElement.IsOfUnknownKind(text)) throw new JsonException("a broken step");
            reader.Read();
            if (element is null || reader.TokenType != JsonTokenType.StartObject)
            {
                if (element is not null) throw new JsonException("a field set has objects only");
                reader.Skip();
                continue;
            }

            build.Add(element, Read(ref reader, trusted, root: false));
        }

        return build.ToSet(!root && (member || !any));
    }

    private static bool Overlaps(ref Utf8JsonReader reader, FieldSet set)
    {
        var any = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            any = true;
            if (reader.ValueTextEquals("."u8))
            {
                if (set.IsMember) return true;
                reader.Read();
                reader.Skip();
                continue;
            }

            var child = Named(ref reader, set);
            reader.Read();
            if (child is null) reader.Skip();
            else if (Overlaps(ref reader, child)) return true;
        }

        return !any && set.IsMember;
    }

    private static bool Covers(ref Utf8JsonReader reader, FieldSet set, bool root)
    {
        var (any, member, found) = (false, false, 0);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            any = true;
            if (reader.ValueTextEquals("."u8)) member = true;
            var child = Named(ref reader, set);
            reader.Read();
            if (child is null)
            {
                reader.Skip();
                continue;
            }

            if (!Covers(ref reader, child, root: false)) return false;
            found++;
        }

        return found == set.Nodes.Length && (!set.IsMember || root || member || !any);
    }

    private static FieldSet? Named(ref Utf8JsonReader reader, FieldSet set)
    {
        for (var i = 0; i < set.Elements.Length; i++)
        {
            if (reader.ValueTextEquals(set.Elements[i])) return set.Nodes[i];
        }

        return null;
    }
}
