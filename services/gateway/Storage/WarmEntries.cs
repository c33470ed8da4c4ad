namespace Mesh.Gateway.Storage;

/// <summary>
/// The entries of a resource that hold trees, typed objects or encodings beside their bytes: the last <see cref="Size"/> that made one. A tree is three to
/// five times the bytes it was made from; a hundred thousand objects that were each looked at once must not keep theirs.
/// </summary>
internal sealed class WarmEntries
{
    /// <summary>Enough for what watchers are being told and controllers answer at once, 10 MB of pods.</summary>
    public const int Size = 512;

    private readonly CacheEntry?[] ring = new CacheEntry?[Size];
    private uint next;

    /// <summary>Takes an entry in; the one longest in has to let go.</summary>
    public void Add(CacheEntry entry)
    {
        var place = Interlocked.Increment(ref next) % Size;
        Interlocked.Exchange(ref ring[place], entry)?.Cool();
    }
}
