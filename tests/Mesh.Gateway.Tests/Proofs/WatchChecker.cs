using System.Globalization;

namespace Mesh.Gateway.Tests.Proofs;

/// <summary>What a watcher of one resource was told: an event, a bookmark (no key), or a list of everything (items).</summary>
/// <param name="Revision">resourceVersion of the object, the bookmark or the list.</param>
/// <param name="Type">ADDED, MODIFIED, DELETED, BOOKMARK or LIST.</param>
/// <param name="Key">Name of the object.</param>
/// <param name="Value">Its value.</param>
/// <param name="Items">Everything a list had: name, revision, value.</param>
internal sealed record Told(long Revision, string Type, string? Key = null, string? Value = null, IReadOnlyList<(string Key, long Revision, string Value)>? Items = null);

/// <summary>
/// The promises of a Kubernetes watch: events come in the order of revisions and once (ordered, unique), show the object as it was written (true), none is
/// missing (reliable, also over a resumption: resumable), a bookmark comes after all it covers (bookmarkable), and a list is one state (a list is the fold
/// of the changes up to its revision).
/// </summary>
internal static class WatchChecker
{
    /// <summary>Null, or the promise that was broken and how.</summary>
    /// <param name="told">What one watcher was told, a LIST first.</param>
    /// <param name="changes">Every change that anybody knows of: by revision the key and the value, null for a deletion.</param>
    /// <param name="mayBeGone">Whether somebody deleted the key after this revision of it. The answer of a deletion names no revision: one that happened while
    /// everybody had to list again is known by that alone.</param>
    public static string? Check(IEnumerable<Told> told, SortedDictionary<long, (string Key, string? Value)> changes, Func<string, long, bool>? mayBeGone = null)
    {
        var known = changes.ToArray();
        var at = 0; // the first change that this watcher has not seen
        long position = 0;
        var state = new Dictionary<string, (long Revision, string Value)>();
        foreach (var t in told)
        {
            if (t.Revision < position || (t.Revision == position && t.Type is not ("BOOKMARK" or "LIST"))) return $"ordered: {t} after revision {position}";
            if (t.Items is { } items)
            {
                for (; at < known.Length && known[at].Key <= t.Revision; at++) Fold(state, known[at]);
                var shown = items.ToDictionary(i => i.Key, i => (i.Revision, i.Value));
                if (Differs(state, shown, mayBeGone) is { } difference) return $"list at {t.Revision}: {difference}";
                state = shown;
                position = t.Revision;
                continue;
            }

            // Whatever happened before this and was not told is lost.
            var upTo = t.Type == "BOOKMARK" ? t.Revision : t.Revision - 1;
            if (at < known.Length && known[at].Key <= upTo) return $"{(t.Type == "BOOKMARK" ? "bookmarkable" : "reliable")}: {t}, but {known[at]} was not told (before it {position})";
            position = t.Revision;
            if (t.Type == "BOOKMARK") continue;
            if (at == known.Length || known[at].Key != t.Revision) return $"true: {t} is no change that anybody made";
            var change = known[at++].Value;
            if (change.Key != t.Key || change.Value != (t.Type == "DELETED" ? null : t.Value)) return $"true: {t}, but it was {change}";
            var before = state.ContainsKey(t.Key!);
            if (before != (t.Type != "ADDED")) return $"true: {t}, but the object {(before ? "was there" : "was not there")}";
            Fold(state, KeyValuePair.Create(t.Revision, change));
        }

        return at < known.Length ? $"reliable: told nothing of {known[at]} at the end" : null;
    }

    /// <summary>How two states differ; null when they are the same.</summary>
    public static string? Differs(
        Dictionary<string, (long Revision, string Value)> expected, Dictionary<string, (long Revision, string Value)> shown, Func<string, long, bool>? mayBeGone = null)
    {
        foreach (var (key, value) in expected)
        {
            if (!shown.TryGetValue(key, out var there))
            {
                if (mayBeGone?.Invoke(key, value.Revision) == true) continue;
                return $"{key} = {value} is missing";
            }

            if (there != value) return $"{key} is {there}, not {value}";
        }

        return shown.Keys.FirstOrDefault(k => !expected.ContainsKey(k)) is { } extra ? string.Create(CultureInfo.InvariantCulture, $"{extra} = {shown[extra]} should not be there") : null;
    }

    private static void Fold(Dictionary<string, (long Revision, string Value)> state, KeyValuePair<long, (string Key, string? Value)> change)
    {
        if (change.Value.Value is { } value) state[change.Value.Key] = (change.Key, value);
        else state.Remove(change.Value.Key);
    }
}
