using Mesh.Store.Wire;

namespace Mesh.Store.Mvcc;

/// <summary>A range request answered from a view: count, limit, filters and order as etcd does them.</summary>
internal static class RangeReader
{
    public static RangeReply Read(KeyTreeView view, RangeRequest request, long revision)
    {
        var range = request.Range;
        if (range.IsSingle && !Filters(request)) return ReadOne(view, request, revision);

        var needsAll = request.Order != SortOrder.None || request.Target != SortTarget.Key || Filters(request);
        var fetch = request.CountOnly ? 0 : needsAll || request.Limit <= 0 || request.Limit == long.MaxValue ? long.MaxValue : request.Limit + 1;
        var kvs = new List<KeyVersion>();
        long count = 0;
        var walk = view.Walk(range);
        while (walk.MoveNext())
        {
            if (walk.Current.LiveAt(revision) is not { } version) continue;
            count++;
            if (kvs.Count < fetch && Passes(request, version)) kvs.Add(version);
        }

        if (request.CountOnly) return new RangeReply { Count = count };
        Sort(kvs, request);
        var more = request.Limit > 0 && kvs.Count > request.Limit;
        if (more) kvs.RemoveRange((int)request.Limit, kvs.Count - (int)request.Limit);
        return new RangeReply { Kvs = kvs, Count = count, More = more, KeysOnly = request.KeysOnly };
    }

    private static RangeReply ReadOne(KeyTreeView view, RangeRequest request, long revision)
    {
        var version = view.Find(request.Key.Span)?.LiveAt(revision);
        if (version is null) return new RangeReply();
        return new RangeReply { Kvs = request.CountOnly ? [] : [version], Count = 1, KeysOnly = request.KeysOnly };
    }

    private static bool Filters(RangeRequest r) => r.MinMod != 0 || r.MaxMod != 0 || r.MinCreate != 0 || r.MaxCreate != 0;

    private static bool Passes(RangeRequest r, KeyVersion v) =>
        (r.MinMod == 0 || v.ModRevision >= r.MinMod) && (r.MaxMod == 0 || v.ModRevision <= r.MaxMod)
        && (r.MinCreate == 0 || v.CreateRevision >= r.MinCreate) && (r.MaxCreate == 0 || v.CreateRevision <= r.MaxCreate);

    private static void Sort(List<KeyVersion> kvs, RangeRequest request)
    {
        var order = request.Order;
        if (order == SortOrder.None)
        {
            if (request.Target == SortTarget.Key) return;
            order = SortOrder.Ascend; // a target without an order sorts upwards
        }
        else if (order == SortOrder.Ascend && request.Target == SortTarget.Key)
        {
            return; // the walk was in key order
        }

        Comparison<KeyVersion> compare = request.Target switch
        {
            SortTarget.Version => static (a, b) => a.Version.CompareTo(b.Version),
            SortTarget.Create => static (a, b) => a.CreateRevision.CompareTo(b.CreateRevision),
            SortTarget.Mod => static (a, b) => a.ModRevision.CompareTo(b.ModRevision),
            SortTarget.Value => static (a, b) => a.Value.AsSpan().SequenceCompareTo(b.Value),
            _ => static (a, b) => a.Entry.Key.AsSpan().SequenceCompareTo(b.Entry.Key),
        };
        var sign = order == SortOrder.Descend ? -1 : 1;
        kvs.Sort((a, b) => compare(a, b) is var c and not 0 ? sign * c : a.Entry.Key.AsSpan().SequenceCompareTo(b.Entry.Key));
    }
}
