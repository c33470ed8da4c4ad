using Mesh.Packing;

namespace Mesh.Store.Mvcc;

/// <summary>A key that has, or had, a value. Versions hang off it newest first.</summary>
internal sealed class KeyEntry(byte[] key)
{
    private KeyVersion? _latest;

    /// <summary>The key's bytes; never changed.</summary>
    public byte[] Key { get; } = key;

    /// <summary>The newest version. Written by the applier only, before the revision is published.</summary>
    public KeyVersion? Latest
    {
        get => Volatile.Read(ref _latest);
        set => Volatile.Write(ref _latest, value);
    }

    /// <summary>The version visible at a revision, tombstones included, or null when the key did not exist then.</summary>
    public KeyVersion? At(long revision)
    {
        var version = Latest;
        while (version is not null && version.ModRevision > revision) version = version.Previous;
        return version;
    }

    /// <summary>The oldest version that is needed when all below a revision is compacted: the one visible there, or the first of several that the revision itself wrote.</summary>
    public KeyVersion? OldestAt(long revision)
    {
        var version = At(revision);
        while (version?.Previous is { } below && below.ModRevision == revision) version = below;
        return version;
    }

    /// <summary>The live version at a revision, or null when there is none.</summary>
    public KeyVersion? LiveAt(long revision) => At(revision) is { IsTombstone: false } version ? version : null;
}

/// <summary>
/// One write of one key: what etcd calls a KeyValue with its revision (main, sub). Immutable but for <see cref="Previous"/>, which compaction cuts.
/// The value is a slice of an array that is often the request it came in, bytes are never copied between the wire, the log and here; when it is no longer new it is packed.
/// </summary>
internal sealed class KeyVersion
{
    private KeyVersion? _previous;
    private object _value = Array.Empty<byte>(); // the array, or the packed value

    /// <summary>The key this is a version of.</summary>
    public required KeyEntry Entry { get; init; }

    /// <summary>Array that holds the value.</summary>
    public required byte[] Data
    {
        init => _value = value;
    }

    /// <summary>Where the value begins in <see cref="Data"/>.</summary>
    public int ValueOffset { get; init; }

    /// <summary>Length of the value in bytes.</summary>
    public int ValueLength { get; init; }

    /// <summary>Main revision: the transaction that wrote it.</summary>
    public long ModRevision { get; init; }

    /// <summary>Sub revision: its place within the transaction.</summary>
    public int Sub { get; init; }

    /// <summary>Whether this write deleted the key.</summary>
    public bool IsTombstone { get; init; }

    /// <summary>Revision that created the key in this generation; 0 for a tombstone.</summary>
    public long CreateRevision { get; init; }

    /// <summary>Writes since creation, from 1; 0 for a tombstone.</summary>
    public long Version { get; init; }

    /// <summary>Lease the key is attached to, 0 for none.</summary>
    public long Lease { get; init; }

    /// <summary>The write before this one, while it is not compacted away.</summary>
    public KeyVersion? Previous
    {
        get => Volatile.Read(ref _previous);
        set => Volatile.Write(ref _previous, value);
    }

    /// <summary>The value's bytes; those of a packed value are made for each call.</summary>
    public ArraySegment<byte> Value
    {
        get
        {
            var value = Volatile.Read(ref _value);
            return value is Packed packed ? new(packed.ToArray()) : new((byte[])value, ValueOffset, ValueLength);
        }
    }

    /// <summary>Writes the value's <see cref="ValueLength"/> bytes.</summary>
    public void CopyValueTo(Span<byte> target)
    {
        var value = Volatile.Read(ref _value);
        if (value is Packed packed) packed.CopyTo(target);
        else ((byte[])value).AsSpan(ValueOffset, ValueLength).CopyTo(target);
    }

    /// <summary>Whether the value is held packed.</summary>
    public bool IsPacked => Volatile.Read(ref _value) is Packed;

    /// <summary>Packs the value if that makes it smaller. Readers see it as it was or packed.</summary>
    public void Pack(PackFamily family)
    {
        if (_value is byte[] bytes && family.Pack(bytes.AsSpan(ValueOffset, ValueLength)) is { } packed) Volatile.Write(ref _value, packed);
    }

    /// <summary>Key, value and bookkeeping, for the quota.</summary>
    public long Footprint => Overhead + Entry.Key.Length + ValueLength;

    /// <summary>Rough bytes a version costs beside its key and value.</summary>
    public const int Overhead = 160;
}
