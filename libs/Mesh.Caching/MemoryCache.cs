namespace Mesh.Caching;

/// <summary>The cache of one process, for all services in it: the default. Full, it lets go of what was left first.</summary>
/// <param name="time">What entries age by.</param>
/// <param name="maxBytes">Bytes of keys and values kept at most.</param>
public sealed class MemoryCache(TimeProvider time, long maxBytes = 64L << 20) : ISharedCache
{
    // A key is two bytes a letter; node, entry and bucket take about this much.
    private const int EntryOverhead = 160;

    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> entries = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> byAge = new();

    /// <summary>Bytes held now.</summary>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(key, out var found)) return default;
            if (time.GetTimestamp() < found.Value.Until) return new(found.Value.Value);
            Drop(found);
            return default;
        }
    }

    /// <inheritdoc/>
    public void Set(string key, byte[] value, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(value);
        var entry = new Entry(key, value, time.GetTimestamp() + (long)(lifetime.TotalSeconds * time.TimestampFrequency));
        lock (gate)
        {
            if (entries.TryGetValue(key, out var old)) Drop(old);
            if (entry.Bytes > maxBytes) return;
            while (Bytes + entry.Bytes > maxBytes) Drop(byAge.First!);
            entries[key] = byAge.AddLast(entry);
            Bytes += entry.Bytes;
        }
    }

    private void Drop(LinkedListNode<Entry> node)
    {
        Bytes -= node.Value.Bytes;
        entries.Remove(node.Value.Key);
        byAge.Remove(node);
    }

    private readonly record struct Entry(string Key, byte[] Value, long Until)
    {
        public long Bytes => EntryOverhead + (2L * Key.Length) + Value.Length;
    }
}
