using Mesh.Store.Leases;
using Mesh.Store.Wire;

namespace Mesh.Store.Mvcc;

/// <summary>
/// Carries out KV writes. A transaction first decides every comparison, nested ones too, on the state before it; then checks that the branch taken
/// cannot fail; then acts. So a transaction is done whole or leaves no trace.
/// </summary>
internal sealed class TxnApplier(MvccStore store, Lessor lessor)
{
    public PutReply Put(PutRequest request)
    {
        CheckPut(store.BeginWrite(), request);
        var writer = store.BeginWrite();
        var previous = writer.Put(request);
        return new PutReply { Revision = writer.End(), Previous = request.PrevKv ? previous : null };
    }

    public DeleteRangeReply DeleteRange(DeleteRangeRequest request)
    {
        var writer = store.BeginWrite();
        var dead = writer.Delete(request.Range);
        return new DeleteRangeReply { Deleted = dead.Count, Previous = request.PrevKv ? dead : null, Revision = writer.End() };
    }

    public TxnReply Txn(TxnRequest request)
    {
        var writer = store.BeginWrite();
        var path = new Queue<bool>();
        Decide(writer, request, path);
        Check(writer, request, new Queue<bool>(path));
        var reply = Execute(ref writer, request, path);
        reply.Revision = writer.End();
        return reply;
    }

    /// <summary>A transaction that only reads: at the published revision, without the log.</summary>
    public TxnReply ReadOnlyTxn(TxnRequest request)
    {
        while (true)
        {
            var published = store.Published;
            var reply = ReadOnly(request, published);
            if (published.Revision >= store.CompactRevision) return reply;
        }
    }

    /// <summary>Whether a comparison holds for every key it names; an absent key compares as zeros, and never by value.</summary>
    public static bool Holds(KeyTreeView view, long revision, Compare compare)
    {
        var range = compare.Range;
        if (range.IsSingle) return Holds(view.Find(compare.Key.Span)?.LiveAt(revision), compare);
        var any = false;
        var walk = view.Walk(range);
        while (walk.MoveNext())
        {
            if (walk.Current.LiveAt(revision) is not { } version) continue;
            any = true;
            if (!Holds(version, compare)) return false;
        }

        return any || Holds(null, compare);
    }

    private static bool Holds(KeyVersion? version, Compare compare)
    {
        if (compare.Target == CompareTarget.Value && version is null) return false;
        var order = compare.Target switch
        {
            CompareTarget.Version => (version?.Version ?? 0).CompareTo(compare.Number),
            CompareTarget.Create => (version?.CreateRevision ?? 0).CompareTo(compare.Number),
            CompareTarget.Mod => (version?.ModRevision ?? 0).CompareTo(compare.Number),
            CompareTarget.Lease => (version?.Lease ?? 0).CompareTo(compare.Number),
            _ => version!.Value.AsSpan().SequenceCompareTo(compare.Value.Span),
        };
        return compare.Result switch
        {
            CompareResult.Equal => order == 0,
            CompareResult.NotEqual => order != 0,
            CompareResult.Greater => order > 0,
            CompareResult.Less => order < 0,
            _ => true,
        };
    }

    private void Decide(in MvccWriter writer, TxnRequest request, Queue<bool> path)
    {
        var holds = request.Compares.TrueForAll(c => Holds(store.WriterView, store.WriterRevision, c));
        path.Enqueue(holds);
        foreach (var op in holds ? request.Success : request.Failure)
        {
            if (op is TxnRequest nested) Decide(writer, nested, path);
        }
    }

    private void Check(in MvccWriter writer, TxnRequest request, Queue<bool> path)
    {
        foreach (var op in path.Dequeue() ? request.Success : request.Failure)
        {
            switch (op)
            {
                case RangeRequest range:
                    if (range.Revision > store.WriterRevision) throw Refusals.FutureRevision;
                    if (range.Revision > 0 && range.Revision < store.CompactRevision) throw Refusals.Compacted;
                    break;
                case PutRequest put:
                    CheckPut(writer, put);
                    break;
                case TxnRequest nested:
                    Check(writer, nested, path);
                    break;
            }
        }
    }

    private void CheckPut(in MvccWriter writer, PutRequest put)
    {
        if ((put.IgnoreValue || put.IgnoreLease) && writer.Get(put.Key.Span) is null) throw Refusals.KeyNotFound;
        if (put.Lease != 0 && !lessor.Exists(put.Lease)) throw Refusals.LeaseNotFound;
    }

    private static TxnReply Execute(ref MvccWriter writer, TxnRequest request, Queue<bool> path)
    {
        var reply = new TxnReply { Succeeded = path.Dequeue() };
        foreach (var op in reply.Succeeded ? request.Success : request.Failure)
        {
            switch (op)
            {
                case RangeRequest range:
                    reply.Responses.Add(writer.Range(range));
                    break;
                case PutRequest put:
                    var previous = writer.Put(put);
                    reply.Responses.Add(new PutReply { Previous = put.PrevKv ? previous : null, Revision = writer.Revision });
                    break;
                case DeleteRangeRequest delete:
                    var dead = writer.Delete(delete.Range);
                    reply.Responses.Add(new DeleteRangeReply { Deleted = dead.Count, Previous = delete.PrevKv ? dead : null, Revision = writer.Revision });
                    break;
                case TxnRequest nested:
                    var inner = Execute(ref writer, nested, path);
                    inner.Revision = writer.Revision;
                    reply.Responses.Add(inner);
                    break;
            }
        }

        return reply;
    }

    private TxnReply ReadOnly(TxnRequest request, Published published)
    {
        var reply = new TxnReply
        {
            Succeeded = request.Compares.TrueForAll(c => Holds(published.View, published.Revision, c)),
            Revision = published.Revision,
        };
        foreach (var op in reply.Succeeded ? request.Success : request.Failure)
        {
            switch (op)
            {
                case RangeRequest range:
                    if (range.Revision > published.Revision) throw Refusals.FutureRevision;
                    if (range.Revision > 0 && range.Revision < store.CompactRevision) throw Refusals.Compacted;
                    var answer = RangeReader.Read(published.View, range, range.Revision > 0 ? range.Revision : published.Revision);
                    if (range.Revision > 0 && range.Revision < store.CompactRevision) throw Refusals.Compacted;
                    answer.Revision = published.Revision;
                    reply.Responses.Add(answer);
                    break;
                case TxnRequest nested:
                    reply.Responses.Add(ReadOnly(nested, published));
                    break;
            }
        }

        return reply;
    }
}
