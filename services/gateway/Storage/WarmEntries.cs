namespace Mesh.Gateway.Storage;

/// <summary>
/// The entries of a resource's cache that hold their bytes as they are served, trees, typed objects or encodings: those last written or last looked at. A tree is
/// three to five times the bytes it was made from, and those are five times what they are packed; a hundred thousand objects that were each looked at once must not
/// keep theirs.
/// </summary>
internal sealed class WarmEntries
{
    /// <summary>Enough for what watchers are being told and controllers answer at once.</summary>
    public const int Size = 512;

    /// <summary>Most bytes of JSON that the entries have together (the last one is always kept).</summary>
    public const long MaxBytes = 4 << 20;

    private readonly Lock gate = new();
    private readonly Queue<CacheEntry> entries = new();
    private long bytes;

    /// <summary>Takes an entry in; those longest in have to let go.</summary>
    public void Add(CacheEntry entry)
    {
        lock (gate)
        {
            entries.Enqueue(entry);
            bytes += entry.JsonLength;
        }

        // Packing takes its time: not under the lock.
        while (Oldest() is { } cold) cold.Cool();
    }

    private CacheEntry? Oldest()
    {
        lock (gate)
        {
            if (entries.Count <= 1 || (entries.Count <= Size && bytes <= MaxBytes)) return null;
            var oldest = entries.Dequeue();
            bytes -= oldest.JsonLength;
            return oldest;
        }
    }
}
