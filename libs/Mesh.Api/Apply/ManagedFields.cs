using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>metadata.managedFields of one object: who owns which fields. Immutable.</summary>
public sealed class ManagedFields
{
    private const int MaxUpdaters = 10;
    private const string Bucket = "ancient-changes";
    private static readonly JsonWriterOptions WriterOptions = new() { SkipValidation = true, MaxDepth = 512 };
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 512 };
    private static readonly byte[] NoFields = "{}"u8.ToArray();
    private readonly ManagedEntry[] entries;

    /// <summary>Of entries; they are brought into the order in which they are kept.</summary>
    public ManagedFields(IEnumerable<ManagedEntry> entries)
        : this(Sorted([.. entries]), 0)
    {
    }

    private ManagedFields(ManagedEntry[] entries, int textLength) => (this.entries, TextLength) = (entries, textLength);

    /// <summary>Nobody owns anything.</summary>
    public static ManagedFields None { get; } = new([], 0);

    /// <summary>The entries: appliers first, then by time and name.</summary>
    public IReadOnlyList<ManagedEntry> Entries => entries;

    /// <summary>Bytes that the list took in the object it was read from; 0 when it was not read from one.</summary>
    public int TextLength { get; }

    /// <summary>Reads them from the bytes of an object of ours, without building a tree.</summary>
    public static ManagedFields Read(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span, ReaderOptions);
        reader.Read();
        if (!Descend(ref reader, "metadata"u8, JsonTokenType.StartObject) || !Descend(ref reader, "managedFields"u8, JsonTokenType.StartArray)) return None;
        var start = reader.TokenStartIndex;
        var found = new List<ManagedEntry>(4);
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            if (ReadEntry(ref reader, json) is { } entry) found.Add(entry);
        }

        return new([.. found], (int)(reader.BytesConsumed - start));
    }

    /// <summary>The bytes of an object without its managedFields; the same array when it has none.</summary>
    public static byte[] Without(byte[] json)
    {
        var reader = new Utf8JsonReader(json, ReaderOptions);
        reader.Read();
        if (!Descend(ref reader, "metadata"u8, JsonTokenType.StartObject)) return json;
        var first = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var found = reader.ValueTextEquals("managedFields"u8);
            reader.Read();
            reader.Skip();
            if (found)
            {
                // With the comma before it, or when it is the first field, the one after it.
                var end = (int)reader.BytesConsumed;
                if (!first) start = json.AsSpan(0, start).LastIndexOf((byte)',');
                else if (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) end = (int)reader.TokenStartIndex;
                var rest = new byte[json.Length - (end - start)];
                json.AsSpan(0, start).CopyTo(rest);
                json.AsSpan(end).CopyTo(rest.AsSpan(start));
                return rest;
            }

            first = false;
        }

        return json;
    }

    /// <summary>
    /// What a request says about them: null when it says nothing (or nothing that can be read), empty when it resets them (an empty list, or one
    /// empty entry).
    /// </summary>
    public static ManagedFields? FromRequest(JsonNode? list)
    {
        if (list is not JsonArray items) return null;
        if (items.Count == 0 || items is [JsonObject { Count: 0 }]) return None;
        var found = new List<ManagedEntry>(items.Count);
        foreach (var item in items)
        {
            if (item is not JsonObject entry) return null;
            var (operation, version) = (Text(entry, "operation"), Text(entry, "apiVersion"));
            if (operation is not ("Apply" or "Update") || version.Length == 0 || Text(entry, "fieldsType") != "FieldsV1") return null;
            var set = entry["fieldsV1"] is { } fields ? FieldsV1.Decode(Bytes(fields)) : FieldSet.Empty;
            if (set is null) return null;
            found.Add(new ManagedEntry(Text(entry, "manager"), operation == "Apply", version, Text(entry, "subresource"), Text(entry, "time") is { Length: > 0 } time ? time : null, set));
        }

        return new(found);
    }

    /// <summary>Whether both say the same, times aside.</summary>
    public bool SameBesidesTimes(ManagedFields other)
    {
        if (entries.Length != other.entries.Length) return false;
        foreach (var entry in entries)
        {
            if (Array.Find(other.entries, entry.IsSameManager) is not { } same || !entry.SameBesidesTime(same)) return false;
        }

        return true;
    }

    /// <summary>Writes the list.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        foreach (var entry in entries) entry.WriteTo(writer);
        writer.WriteEndArray();
    }

    /// <summary>The list as a tree.</summary>
    public JsonNode ToTree()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions)) WriteTo(writer);
        return JsonNode.Parse(buffer.WrittenSpan, null, new JsonDocumentOptions { MaxDepth = 512 })!;
    }

    /// <summary>
    /// The entries with at most ten of operation Update: of more, the oldest are gathered in one entry a version.
    /// </summary>
    internal static ManagedFields Capped(List<ManagedEntry> all)
    {
        var updaters = all.Where(static e => !e.Applied).ToList();
        if (updaters.Count <= MaxUpdaters) return new(all);
        var count = updaters.Count;
        var first = new Dictionary<string, ManagedEntry>(StringComparer.Ordinal);
        foreach (var old in updaters.OrderBy(static e => e.Time ?? "", StringComparer.Ordinal).ThenBy(static e => e.Manager, StringComparer.Ordinal))
        {
            if (count <= MaxUpdaters) break;
            if (!first.TryGetValue(old.ApiVersion, out var bucket))
            {
                // One alone needs no bucket: there is nothing yet to gather it with.
                first[old.ApiVersion] = old;
                continue;
            }

            all.Remove(bucket);
            all.Remove(old);
            var both = new ManagedEntry(Bucket, false, old.ApiVersion, "", old.Time, old.Set.Union(bucket.Set));
            all.Add(both);
            first[old.ApiVersion] = both;
            count--;
        }

        return new(all);
    }

    private static ManagedEntry[] Sorted(ManagedEntry[] entries)
    {
        Array.Sort(entries, static (a, b) =>
        {
            if (a.Applied != b.Applied) return a.Applied ? -1 : 1;
            // RFC 3339 in UTC with whole seconds sorts as text.
            if (a.Time is not null && b.Time is not null && string.CompareOrdinal(a.Time, b.Time) is var time and not 0) return time;
            if (string.CompareOrdinal(a.Manager, b.Manager) is var manager and not 0) return manager;
            if (string.CompareOrdinal(a.ApiVersion, b.ApiVersion) is var version and not 0) return version;
            return string.CompareOrdinal(a.Subresource, b.Subresource);
        });
        return entries;
    }

    private static ManagedEntry? ReadEntry(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        var (manager, version, subresource, applied) = ("", "", "", false);
        string? time = null;
        ReadOnlyMemory<byte> fields = NoFields;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("fieldsV1"u8))
            {
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                fields = json[start..(int)reader.BytesConsumed];
            }
            else if (reader.ValueTextEquals("manager"u8)) manager = Next(ref reader);
            else if (reader.ValueTextEquals("operation"u8)) applied = Next(ref reader) == "Apply";
            else if (reader.ValueTextEquals("apiVersion"u8)) version = Next(ref reader);
            else if (reader.ValueTextEquals("time"u8)) time = Next(ref reader);
            else if (reader.ValueTextEquals("subresource"u8)) subresource = Next(ref reader);
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return version.Length == 0 ? null : new ManagedEntry(manager, applied, version, subresource, time, fields);
    }

    private static ReadOnlySpan<byte> Bytes(JsonNode node)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions)) node.WriteTo(writer);
        return buffer.WrittenSpan;
    }

    private static string Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
    }

    private static bool Descend(ref Utf8JsonReader reader, ReadOnlySpan<byte> field, JsonTokenType wanted)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var found = reader.ValueTextEquals(field);
            reader.Read();
            if (found) return reader.TokenType == wanted;
            reader.Skip();
        }

        return false;
    }

    private static string Text(JsonObject entry, string field) => entry[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", entries.Select(static e => string.Create(CultureInfo.InvariantCulture, $"{e.Description}: {e.Set}")));
}
