using Mesh.Store.Mvcc;

namespace Mesh.Store.Wire;

/// <summary>Refuses malformed KV requests before they reach the log, in etcd's words.</summary>
internal static class KvChecks
{
    public static void Check(RangeRequest r)
    {
        if (r.Key.Length == 0) throw Refusals.EmptyKey;
        if ((uint)r.Order > (uint)SortOrder.Descend || (uint)r.Target > (uint)SortTarget.Value) throw Refusals.InvalidSortOption;
    }

    public static void Check(PutRequest r)
    {
        if (r.Key.Length == 0) throw Refusals.EmptyKey;
        if (r.IgnoreValue && r.Value.Length != 0) throw Refusals.ValueProvided;
        if (r.IgnoreLease && r.Lease != 0) throw Refusals.LeaseProvided;
    }

    public static void Check(DeleteRangeRequest r)
    {
        if (r.Key.Length == 0) throw Refusals.EmptyKey;
    }

    public static void Check(TxnRequest r, int maxOps)
    {
        if (r.Compares.Count > maxOps || r.Success.Count > maxOps || r.Failure.Count > maxOps) throw Refusals.TooManyOps;
        foreach (var compare in r.Compares)
        {
            if (compare.Key.Length == 0) throw Refusals.EmptyKey;
        }

        foreach (var op in r.Success.Concat(r.Failure))
        {
            switch (op)
            {
                case RangeRequest range: Check(range); break;
                case PutRequest put: Check(put); break;
                case DeleteRangeRequest delete: Check(delete); break;
                case TxnRequest nested: Check(nested, maxOps); break;
            }
        }

        CheckOverlap(r.Success, [], []);
        CheckOverlap(r.Failure, [], []);
    }

    /// <summary>No key may be put twice in one branch, nor put and deleted; nested branches exclude each other but not their parent.</summary>
    private static void CheckOverlap(List<KvRequest> ops, HashSet<string> outerPuts, List<KeyRange> outerDeletes)
    {
        var puts = new HashSet<string>();
        var deletes = new List<KeyRange>();
        foreach (var op in ops)
        {
            switch (op)
            {
                case PutRequest put when !puts.Add(KeyText(put.Key)):
                    throw Refusals.DuplicateKey;
                case DeleteRangeRequest delete:
                    deletes.Add(delete.Range);
                    break;
            }
        }

        foreach (var put in ops.OfType<PutRequest>())
        {
            if (deletes.Exists(d => d.Contains(put.Key.Span)) || outerDeletes.Exists(d => d.Contains(put.Key.Span)) || outerPuts.Contains(KeyText(put.Key)))
                throw Refusals.DuplicateKey;
        }

        foreach (var outer in outerPuts)
        {
            if (deletes.Exists(d => d.Contains(Convert.FromHexString(outer)))) throw Refusals.DuplicateKey;
        }

        var allPuts = puts;
        allPuts.UnionWith(outerPuts);
        deletes.AddRange(outerDeletes);
        foreach (var nested in ops.OfType<TxnRequest>())
        {
            CheckOverlap(nested.Success, [.. allPuts], [.. deletes]);
            CheckOverlap(nested.Failure, [.. allPuts], [.. deletes]);
        }

        // Siblings: what one nested transaction may put, another may not put or delete.
        CheckSiblings([.. ops.OfType<TxnRequest>()]);
    }

    private static void CheckSiblings(List<TxnRequest> siblings)
    {
        for (var i = 0; i < siblings.Count; i++)
        {
            for (var j = 0; j < siblings.Count; j++)
            {
                if (i == j) continue;
                foreach (var put in Flatten(siblings[i]).OfType<PutRequest>())
                {
                    foreach (var other in Flatten(siblings[j]))
                    {
                        if (other is PutRequest p && p.Key.Span.SequenceEqual(put.Key.Span)) throw Refusals.DuplicateKey;
                        if (other is DeleteRangeRequest d && d.Range.Contains(put.Key.Span)) throw Refusals.DuplicateKey;
                    }
                }
            }
        }
    }

    private static IEnumerable<KvRequest> Flatten(TxnRequest txn) =>
        txn.Success.Concat(txn.Failure).SelectMany(op => op is TxnRequest nested ? Flatten(nested) : [op]);

    private static string KeyText(ReadOnlyMemory<byte> key) => Convert.ToHexString(key.Span);
}
