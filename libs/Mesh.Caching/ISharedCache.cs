namespace Mesh.Caching;

/// <summary>
/// A place where processes leave answers for each other. What is in it can be found out again, so it may lose anything at any time; an entry never
/// changes its meaning, because its key holds all that the answer depends on. Nobody waits long for it and nothing fails because of it.
/// </summary>
public interface ISharedCache
{
    /// <summary>The value left under the key; null when there is none, or when it cannot be had soon.</summary>
    ValueTask<byte[]?> GetAsync(string key, CancellationToken ct);

    /// <summary>Leaves a value for at most a lifetime. Returns at once; whether it arrives is not told. The array belongs to the cache from here on.</summary>
    void Set(string key, byte[] value, TimeSpan lifetime);
}
