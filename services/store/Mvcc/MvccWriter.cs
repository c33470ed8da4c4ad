using System.Runtime.InteropServices;
using Mesh.Store.Wire;

namespace Mesh.Store.Mvcc;

/// <summary>One transaction's writes, all at one main revision; it sees its own writes.</summary>
internal struct MvccWriter(MvccStore store, long main)
{
    private int _sub;

    /// <summary>Revision a read inside the transaction reports: the new one once something was written.</summary>
    public readonly long Revision => _sub > 0 ? main : main - 1;

    /// <summary>The live version of a key.</summary>
    public readonly KeyVersion? Get(ReadOnlySpan<byte> key) => store.WriterView.Find(key)?.LiveAt(main);

    /// <summary>Answers a range that includes the transaction's own writes.</summary>
    public readonly RangeReply Range(RangeRequest request)
    {
        var reply = RangeReader.Read(store.WriterView, request, request.Revision > 0 ? request.Revision : main);
        reply.Revision = Revision;
        return reply;
    }

    /// <summary>Writes a key; returns the live version before it.</summary>
    public KeyVersion? Put(PutRequest request)
    {
        var entry = store.WriterView.Find(request.Key.Span);
        var before = entry?.Latest is { IsTombstone: false } live ? live : null;
        if ((request.IgnoreValue || request.IgnoreLease) && before is null) throw Refusals.KeyNotFound;
        var value = request.IgnoreValue ? before!.Value : Keep(request.Value);
        var lease = request.IgnoreLease ? before!.Lease : request.Lease;
        var sub = _sub++;
        var revision = main;
        store.Add(request.Key.Span, entry, e => new KeyVersion
        {
            Entry = e,
            Data = value.Array!,
            ValueOffset = value.Offset,
            ValueLength = value.Count,
            ModRevision = revision,
            Sub = sub,
            CreateRevision = before?.CreateRevision ?? revision,
            Version = (before?.Version ?? 0) + 1,
            Lease = lease,
        });
        return before;
    }

    /// <summary>Deletes the live keys of a range; returns what they were.</summary>
    public List<KeyVersion> Delete(KeyRange range)
    {
        var dead = new List<KeyVersion>();
        if (range.IsSingle)
        {
            if (store.WriterView.Find(range.Start.Span)?.Latest is { IsTombstone: false } live) dead.Add(live);
        }
        else
        {
            var walk = store.WriterView.Walk(range);
            while (walk.MoveNext())
            {
                if (walk.Current.Latest is { IsTombstone: false } live) dead.Add(live);
            }
        }

        foreach (var version in dead) Delete(version.Entry);
        return dead;
    }

    /// <summary>Deletes one live key.</summary>
    public void Delete(KeyEntry entry)
    {
        var sub = _sub++;
        var revision = main;
        store.Add(entry.Key, entry, e => new KeyVersion { Entry = e, Data = [], ModRevision = revision, Sub = sub, IsTombstone = true });
    }

    /// <summary>Ends the transaction; the revision moves when anything was written.</summary>
    public readonly long End()
    {
        if (_sub > 0) store.Finish(main);
        return Revision;
    }

    /// <summary>A slice that may live as long as the version: copied when it would hold on to a much larger array.</summary>
    private static ArraySegment<byte> Keep(ReadOnlyMemory<byte> value)
    {
        if (value.Length == 0) return new ArraySegment<byte>([]);
        return MemoryMarshal.TryGetArray(value, out var segment) && segment.Array!.Length <= value.Length * 2 + 64 ? segment : new ArraySegment<byte>(value.ToArray());
    }
}
