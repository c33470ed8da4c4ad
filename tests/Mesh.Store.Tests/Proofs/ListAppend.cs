namespace Mesh.Store.Tests.Proofs;

/// <summary>A transaction over lists: what it read of each key, and to which keys it appended its own id, all at once.</summary>
internal sealed record AppendTxn(int Id, Dictionary<string, int[]> Reads, string[] Appends, long Start)
{
    /// <summary>When it was answered; unanswered ones may have happened.</summary>
    public long End { get; set; } = long.MaxValue;
}

/// <summary>
/// Strict serializability from lists that are only appended to: each element names the transaction that wrote it, so the order of writes is read off the
/// lists, and with it who saw whose writes and who did not. A cycle among these and time is an anomaly.
/// </summary>
internal static class ListAppend
{
    /// <summary>Null when the history is strictly serializable; <paramref name="final"/> is what is in the lists at the end.</summary>
    public static string? Check(IReadOnlyList<AppendTxn> txns, Dictionary<string, int[]> final)
    {
        var byId = txns.ToDictionary(t => t.Id);
        var next = txns.ToDictionary(t => t.Id, _ => new HashSet<int>());
        foreach (var (key, list) in final)
        {
            if (list.Distinct().Count() != list.Length) return $"{key} holds an element twice";
            if (list.FirstOrDefault(id => !byId.TryGetValue(id, out var t) || !t.Appends.Contains(key)) is var stray and not 0) return $"{key} holds {stray}, which nobody appended";
            for (var i = 1; i < list.Length; i++) next[list[i - 1]].Add(list[i]);
        }

        foreach (var txn in txns)
        {
            foreach (var key in txn.Appends)
            {
                if (txn.End != long.MaxValue && !final.GetValueOrDefault(key, []).Contains(txn.Id)) return $"{txn.Id}'s append to {key} is lost";
            }

            if (txn.End == long.MaxValue) continue; // what it read was never told
            foreach (var (key, read) in txn.Reads)
            {
                var list = final.GetValueOrDefault(key, []);
                if (!list.AsSpan().StartsWith(read)) return $"{txn.Id} read {key} as [{string.Join(' ', read)}], which is no beginning of what it became";
                if (read.Length > 0) next[read[^1]].Add(txn.Id);
                if (read.Length < list.Length && list[read.Length] != txn.Id) next[txn.Id].Add(list[read.Length]);
            }
        }

        foreach (var first in txns)
        {
            foreach (var second in txns)
            {
                if (first.End < second.Start) next[first.Id].Add(second.Id);
            }
        }

        return Cycle(next);
    }

    private static string? Cycle(Dictionary<int, HashSet<int>> next)
    {
        var incoming = next.Keys.ToDictionary(id => id, _ => 0);
        foreach (var to in next.Values.SelectMany(n => n)) incoming[to]++;
        var free = new Queue<int>(incoming.Where(i => i.Value == 0).Select(i => i.Key));
        var ordered = 0;
        for (; free.TryDequeue(out var id); ordered++)
        {
            foreach (var to in next[id])
            {
                if (--incoming[to] == 0) free.Enqueue(to);
            }
        }

        return ordered == next.Count ? null : "no order of " + string.Join(' ', incoming.Where(i => i.Value > 0).Select(i => i.Key).Take(20));
    }
}
