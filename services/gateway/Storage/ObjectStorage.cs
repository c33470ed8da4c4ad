using Grpc.Core;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Storage;

/// <summary>An object as the store has it: JSON without resourceVersion, and the revision that is its resourceVersion.</summary>
internal sealed record StoredObject(string Key, ReadOnlyMemory<byte> Json, long Revision);

/// <summary>Some keys in order, and the revision at which that was true.</summary>
internal sealed record StoredPage(IReadOnlyList<StoredObject> Items, bool More, long Count, long Revision);

/// <summary>What a compare-and-write did: on success the new revision; else what is there now (null: nothing).</summary>
internal readonly record struct WriteResult(bool Succeeded, long Revision, StoredObject? Current);

/// <summary>The asked revision is compacted away.</summary>
internal sealed class RevisionGoneException : Exception
{
    /// <summary>With the fixed message.</summary>
    public RevisionGoneException()
        : base("the revision has been compacted")
    {
    }
}

/// <summary>Objects by key over the etcd v3 API: every write is one transaction that compares the key's modification revision.</summary>
internal sealed class ObjectStorage(EtcdClient client, TimeProvider time)
{
    private readonly StoreLeases leases = new(client, time);

    /// <summary>The client underneath (watches).</summary>
    public EtcdClient Client => client;

    /// <summary>Reads one key, linearizable.</summary>
    public async ValueTask<StoredObject?> GetAsync(string key, CancellationToken ct)
    {
        var reply = await client.RangeAsync(new RangeCall(key), ct);
        return reply.Items is [var item, ..] ? new StoredObject(key, item.Value, item.ModRevision) : null;
    }

    /// <summary>The store's revision now, linearizable.</summary>
    public async ValueTask<long> RevisionAsync(CancellationToken ct) => (await client.RangeAsync(new RangeCall("\0", Limit: 1, CountOnly: true), ct)).Revision;

    /// <summary>Whether a key with the prefix was written after a revision, how many keys there are, and the revision at which that is so.</summary>
    public async ValueTask<(bool Written, long Count, long Revision)> WrittenSinceAsync(string prefix, long revision, CancellationToken ct)
    {
        var reply = await client.RangeAsync(new RangeCall(prefix, PrefixEnd(prefix), Limit: 1, KeysOnly: true, MinModRevision: revision + 1), ct);
        return (reply.Items.Count > 0, reply.Count, reply.Revision);
    }

    /// <summary>Keys from start up to the end of prefix, at a revision (0 = now), at most limit (0 = all).</summary>
    public async ValueTask<StoredPage> ListAsync(string prefix, string? start, long limit, long revision, CancellationToken ct)
    {
        try
        {
            var reply = await client.RangeAsync(new RangeCall(start ?? prefix, PrefixEnd(prefix), limit, revision), ct);
            var items = new StoredObject[reply.Items.Count];
            for (var i = 0; i < items.Length; i++) items[i] = ToObject(reply.Items[i]);
            return new StoredPage(items, reply.More, reply.Count, revision > 0 ? revision : reply.Revision);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.OutOfRange)
        {
            throw new RevisionGoneException();
        }
    }

    /// <summary>Stores a new key; not succeeded when it is there already.</summary>
    public ValueTask<WriteResult> CreateAsync(string key, ReadOnlyMemory<byte> json, TimeSpan? ttl, CancellationToken ct) => PutAsync(key, json, 0, ttl, ct);

    /// <summary>Replaces the value when the key is still at expected.</summary>
    public ValueTask<WriteResult> UpdateAsync(string key, ReadOnlyMemory<byte> json, long expected, TimeSpan? ttl, CancellationToken ct) =>
        PutAsync(key, json, expected, ttl, ct);

    /// <summary>Removes the key when it is still at expected.</summary>
    public ValueTask<WriteResult> DeleteAsync(string key, long expected, CancellationToken ct) => WriteAsync(key, GuardedWrite.Delete(key, expected), ct);

    /// <summary>The end of the range of all keys that start with prefix.</summary>
    public static byte[] PrefixEnd(string prefix)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(prefix);
        bytes[^1]++;
        return bytes;
    }

    /// <summary>From the wire; the value's memory is the message's own.</summary>
    public static StoredObject ToObject(KvItem item) => new(System.Text.Encoding.UTF8.GetString(item.Key.Span), item.Value, item.ModRevision);

    private ValueTask<WriteResult> PutAsync(string key, ReadOnlyMemory<byte> json, long expected, TimeSpan? ttl, CancellationToken ct) =>
        ttl is { } life ? PutLeasedAsync(key, json, expected, life, ct) : WriteAsync(key, GuardedWrite.Put(key, json, expected), ct);

    private async ValueTask<WriteResult> PutLeasedAsync(string key, ReadOnlyMemory<byte> json, long expected, TimeSpan life, CancellationToken ct) =>
        await WriteAsync(key, GuardedWrite.Put(key, json, expected, await leases.GetAsync(life, ct)), ct);

    private async ValueTask<WriteResult> WriteAsync(string key, GuardedWrite write, CancellationToken ct)
    {
        var reply = await client.WriteAsync(write, ct);
        if (reply.Succeeded) return new WriteResult(true, reply.Revision, null);
        return new WriteResult(false, 0, reply.Current is { } current ? new StoredObject(key, current.Value, current.ModRevision) : null);
    }
}
