namespace Mesh.Store.Tests.Proofs;

/// <summary>An answer of a watch as its client saw it: events as (revision, key, value; null for a deletion), or progress.</summary>
internal sealed record WatchRecord(long Revision, bool Progress, (long Revision, string Key, string? Value)[] Events);

/// <summary>
/// The guarantees of a watch of everything, from what it saw and what was written: ordered, unique, atomic, reliable, resumable (the record goes on over restarts of
/// the watch), bookmarkable. Every revision here writes at least one key.
/// </summary>
internal static class WatchGuarantees
{
    /// <summary>Null, or which guarantee is broken. <paramref name="from"/>: the revision the watch began at; <paramref name="written"/>: keys and values by revision, where known.</summary>
    public static string? Check(IEnumerable<WatchRecord> records, long from, IReadOnlyDictionary<long, (string Key, string? Value)[]> written, long last)
    {
        var expected = from;
        long promised = 0;
        foreach (var record in records)
        {
            if (record.Progress)
            {
                if (record.Revision >= expected) return $"bookmarkable: progress says {record.Revision}, {expected} was not seen";
                promised = Math.Max(promised, record.Revision);
                continue;
            }

            foreach (var revision in record.Events.GroupBy(e => e.Revision))
            {
                if (revision.Key <= promised) return $"bookmarkable: {revision.Key} after progress said {promised}";
                if (revision.Key < expected) return $"ordered, unique: {revision.Key} where {expected} was next";
                if (revision.Key > expected) return $"reliable: {expected} is missing, {revision.Key} came";
                expected++;
                if (!written.TryGetValue(revision.Key, out var events)) continue;
                if (!revision.Select(e => (e.Key, e.Value)).OrderBy(e => e.Key, StringComparer.Ordinal).SequenceEqual(events.OrderBy(e => e.Key, StringComparer.Ordinal)))
                    return $"atomic: revision {revision.Key} is [{string.Join(' ', revision)}], written was [{string.Join(' ', events)}]";
            }
        }

        return expected == last + 1 ? null : $"reliable: ends before {expected}, the store is at {last}";
    }
}
