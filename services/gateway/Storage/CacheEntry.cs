using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Selectors;
using Mesh.Packing;

namespace Mesh.Gateway.Storage;

/// <summary>
/// One revision of one object, shared by everybody who is served it: the JSON, what selectors look at, and, made on first use and kept for as long as
/// the object is among the last used, the parsed tree, the typed object and other encodings. An entry that a cache keeps and that is not among those has its
/// JSON packed.
/// </summary>
internal sealed class CacheEntry : ILabels
{
    private static readonly JsonDocumentOptions ParseOptions = new() { MaxDepth = 512 };
    private static readonly object LeanForm = new();
    private readonly CacheLayout layout;
    private readonly int nameAt;
    private byte[]? json;
    private Packed? packed;
    private KeyValuePair<string, string>[]? labels;
    private string[]? fields;
    private JsonObject? parsed;
    private object? typed;
    private Encoding? encodings;
    private int warm;
    private int messageLength;
    private int partialMessageLength;
    private bool kept;

    private CacheEntry(CacheLayout layout, string key, byte[] json, long revision)
    {
        this.layout = layout;
        this.json = json;
        var (ns, name) = StorageKeys.Split(key, layout.PrefixLength, layout.Resource.Namespaced);
        Key = key;
        nameAt = key.Length - name.Length;
        Namespace = layout.Strings.Share(ns);
        JsonLength = json.Length;
        Revision = revision;
    }

    /// <summary>Storage key.</summary>
    public string Key { get; }

    /// <summary>Namespace, "" when cluster-scoped.</summary>
    public string Namespace { get; }

    /// <summary>Name, cut out of the key each time.</summary>
    public string Name => Key[nameAt..];

    /// <summary>Served JSON, with resourceVersion. To write it out once, <see cref="WriteJson"/> is cheaper.</summary>
    public byte[] Json => Volatile.Read(ref json) ?? Thaw();

    /// <summary>Whether it holds its JSON packed only.</summary>
    public bool IsPacked => Volatile.Read(ref json) is null;

    /// <summary>Length of the JSON in bytes.</summary>
    public int JsonLength { get; }

    /// <summary>Modification revision: the resourceVersion.</summary>
    public long Revision { get; }

    /// <summary>Values of the kind's selectable fields.</summary>
    public string[] Fields => fields ??= layout.HasFields ? layout.Fields(parsed ?? Parse(Json)) : [];

    /// <summary>Whether this is its name.</summary>
    public bool IsNamed(string name) => Key.AsSpan(nameAt).SequenceEqual(name);

    /// <summary>Writes the JSON; what is packed stays packed.</summary>
    public void WriteJson(IBufferWriter<byte> writer)
    {
        if (Volatile.Read(ref json) is { } bytes)
        {
            writer.Write(bytes);
            return;
        }

        var span = writer.GetSpan(JsonLength);
        packed!.CopyTo(span);
        writer.Advance(JsonLength);
    }

    /// <summary>Writes the JSON without what it begins with, but for the brace.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="head">Such as <c>{"kind":"Pod","apiVersion":"v1",</c>; JSON that begins otherwise is written whole.</param>
    public void WriteJsonWithout(IBufferWriter<byte> writer, ReadOnlySpan<byte> head)
    {
        var span = writer.GetSpan(JsonLength)[..JsonLength];
        if (Volatile.Read(ref json) is { } bytes) bytes.CopyTo(span);
        else packed!.CopyTo(span);
        var length = JsonLength;
        if (span.StartsWith(head))
        {
            length -= head.Length - 1;
            span[head.Length..].CopyTo(span[1..]);
        }

        writer.Advance(length);
    }

    /// <summary>Shows the JSON; what is packed stays packed.</summary>
    public void Look<T>(T state, ReadOnlySpanAction<byte, T> look)
    {
        if (Volatile.Read(ref json) is { } bytes)
        {
            look(bytes, state);
            return;
        }

        var unpacked = ArrayPool<byte>.Shared.Rent(JsonLength);
        packed!.CopyTo(unpacked);
        look(unpacked.AsSpan(0, JsonLength), state);
        ArrayPool<byte>.Shared.Return(unpacked);
    }

    /// <summary>The parsed object for one look, never to be changed. It is kept only by who is among the last used anyway: a list that passes by everybody keeps nothing.</summary>
    public JsonObject Glance()
    {
        if (Volatile.Read(ref parsed) is { } made) return made;
        if (kept && !IsPacked) return Parsed;
        var tree = new StrongBox<JsonObject>();
        Look(tree, static (json, tree) => tree.Value = Parse(json));
        return tree.Value!;
    }

    /// <summary>Length of the protobuf message in bytes; 0: nobody has said it yet.</summary>
    public int MessageLength
    {
        get => Volatile.Read(ref messageLength);
        set => Volatile.Write(ref messageLength, value);
    }

    /// <summary>The same of the metadata alone, as PartialObjectMetadata.</summary>
    public int PartialMessageLength
    {
        get => Volatile.Read(ref partialMessageLength);
        set => Volatile.Write(ref partialMessageLength, value);
    }

    /// <summary>The parsed object, shared: never change it.</summary>
    public JsonObject Parsed
    {
        get
        {
            if (Volatile.Read(ref parsed) is { } made) return made;
            made = Parse(Json);
            // Of two that are made at once the first stays: readers may compare references.
            made = Interlocked.CompareExchange(ref parsed, made, null) ?? made;
            Warm();
            return made;
        }
    }

    /// <summary>Makes an entry of what the store has.</summary>
    /// <param name="layout">What the resource's entries look like.</param>
    /// <param name="stored">The stored object.</param>
    public static CacheEntry Create(CacheLayout layout, StoredObject stored) =>
        new(layout, stored.Key, ServedJson.WithResourceVersion(layout.FromStorage(stored.Json).Span, stored.Revision), stored.Revision);

    /// <summary>An entry that is not in the store (the answer of a dry run): served as it is.</summary>
    public static CacheEntry Unstored(CacheLayout layout, string key, byte[] json) => new(layout, key, json, 0);

    /// <summary>The same object at another revision (the last state of a deleted object carries the revision of its deletion).</summary>
    public CacheEntry AtRevision(long revision)
    {
        var tree = (JsonObject)Parsed.DeepClone();
        var meta = (JsonObject)tree["metadata"]!;
        meta["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new CacheEntry(layout, Key, JsonBytes.Write(tree), revision);
    }

    /// <summary>The typed object, shared by all readers of this revision.</summary>
    public T Typed<T>()
        where T : class, IKubeObject<T>
    {
        if (Volatile.Read(ref typed) is T made) return made;
        var value = KubeJson.Deserialize<T>(Json);
        Volatile.Write(ref typed, value);
        Warm();
        return value;
    }

    /// <summary>Another encoding of the object, made once per format.</summary>
    /// <param name="format">Identity of the format (one instance for one format).</param>
    /// <param name="make">Makes the bytes.</param>
    public byte[] Encoded(object format, Func<CacheEntry, byte[]> make)
    {
        for (var e = Volatile.Read(ref encodings); e is not null; e = e.Next)
        {
            if (ReferenceEquals(e.Format, format)) return e.Bytes;
        }

        // Two makers at once are rare and harmless: one of the two equal results is kept.
        var bytes = make(this);
        Volatile.Write(ref encodings, new Encoding(format, bytes, Volatile.Read(ref encodings)));
        Warm();
        return bytes;
    }

    /// <summary>A cache keeps the entry from now on: it shall become small when it is not among the last used. To be called before others see it.</summary>
    public void Keep()
    {
        kept = true;
        Warm();
    }

    /// <summary>Lets go of what can be made again, and packs the bytes.</summary>
    public void Cool()
    {
        Volatile.Write(ref warm, 0);
        Volatile.Write(ref parsed, null);
        Volatile.Write(ref typed, null);
        Volatile.Write(ref encodings, null);
        if (packed is null && Volatile.Read(ref json) is { } bytes) Volatile.Write(ref packed, layout.Packing.Pack(bytes));
        // Once packed it stays so: a reader that finds no bytes finds them packed.
        if (packed is not null) Volatile.Write(ref json, null);
    }

    private byte[] Thaw()
    {
        var bytes = Volatile.Read(ref packed)!.ToArray();
        Volatile.Write(ref json, bytes);
        Warm();
        return bytes;
    }

    private void Warm()
    {
        // What no cache keeps goes with the request that made it.
        if (kept && Interlocked.Exchange(ref warm, 1) == 0) layout.Warm.Add(this);
    }

    /// <summary>The served JSON without managedFields: what the informers of Mesh's own services read.</summary>
    public byte[] Lean => Encoded(LeanForm, static entry => ManagedFields.Without(entry.Json));

    /// <inheritdoc/>
    public bool TryGet(string key, [NotNullWhen(true)] out string? value)
    {
        foreach (var (name, text) in labels ??= layout.Strings.Share(LabelScan.Read(Json)))
        {
            if (name == key)
            {
                value = text;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>A tree of JSON bytes that are known to be an object.</summary>
    public static JsonObject Parse(ReadOnlySpan<byte> json) => (JsonObject)JsonNode.Parse(json, null, ParseOptions)!;

    private sealed record Encoding(object Format, byte[] Bytes, Encoding? Next);
}

/// <summary>What a cache must know of its resource.</summary>
internal sealed class CacheLayout(ApiResource resource, IReadOnlyList<string> fieldNames, Func<JsonObject, string[]> fields, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? fromStorage = null)
{
    /// <summary>The resource.</summary>
    public ApiResource Resource { get; } = resource;

    /// <summary>Where the resource's keys begin.</summary>
    public string Prefix { get; } = StorageKeys.Prefix(resource);

    /// <summary>Length of <see cref="Prefix"/>.</summary>
    public int PrefixLength { get; } = StorageKeys.Prefix(resource).Length;

    /// <summary>Names of the selectable fields besides metadata.name and metadata.namespace.</summary>
    public IReadOnlyList<string> FieldNames { get; } = fieldNames;

    /// <summary>Whether there are any.</summary>
    public bool HasFields => FieldNames.Count > 0;

    /// <summary>Their values.</summary>
    public string[] Fields(JsonObject obj)
    {
        var values = fields(obj);
        for (var i = 0; i < values.Length; i++) values[i] = Strings.Share(values[i]);
        return values;
    }

    /// <summary>What the resource's objects look like, for packing.</summary>
    public PackFamily Packing { get; } = new();

    /// <summary>Strings that many of the resource's objects have.</summary>
    public SharedStrings Strings { get; } = new();

    /// <summary>The resource's entries that hold more than their bytes.</summary>
    public WarmEntries Warm { get; } = new();

    /// <summary>Stored version → served version.</summary>
    public ReadOnlyMemory<byte> FromStorage(ReadOnlyMemory<byte> stored) => fromStorage is null ? stored : fromStorage(stored);
}
