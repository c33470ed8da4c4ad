using Mesh.Store.Mvcc;

namespace Mesh.Store.Watching;

/// <summary>
/// Which watchers want a key: a hash table for single keys; for ranges one group a distinct range, sorted by start, with the greatest end so far beside
/// each, so that a search from the last start at or below the key stops where no earlier range can reach it.
/// </summary>
internal sealed class WatcherIndex
{
    private readonly Dictionary<byte[], List<Watcher>> _keys = new(ByteComparer.Instance);
    private readonly Dictionary<(string, string), Group> _groups = [];
    private readonly Dictionary<byte[], List<Watcher>>.AlternateLookup<ReadOnlySpan<byte>> _byKey;
    private Group[]? _sorted; // null: to be rebuilt
    private byte[]?[] _reach = []; // null: no bound

    public WatcherIndex() => _byKey = _keys.GetAlternateLookup<ReadOnlySpan<byte>>();

    public void Add(Watcher watcher)
    {
        if (watcher.Range.IsSingle)
        {
            if (!_byKey.TryGetValue(watcher.Range.Start.Span, out var list)) _byKey[watcher.Range.Start.Span] = list = [];
            list.Add(watcher);
            return;
        }

        var id = GroupId(watcher.Range);
        if (!_groups.TryGetValue(id, out var group))
        {
            _groups.Add(id, group = new Group(watcher.Range));
            _sorted = null;
        }

        group.Watchers.Add(watcher);
    }

    public void Remove(Watcher watcher)
    {
        if (watcher.Range.IsSingle)
        {
            if (!_byKey.TryGetValue(watcher.Range.Start.Span, out var list)) return;
            list.Remove(watcher);
            if (list.Count == 0) _byKey.Remove(watcher.Range.Start.Span);
            return;
        }

        var id = GroupId(watcher.Range);
        if (!_groups.TryGetValue(id, out var group)) return;
        group.Watchers.Remove(watcher);
        if (group.Watchers.Count > 0) return;
        _groups.Remove(id);
        _sorted = null;
    }

    /// <summary>Adds the watchers of a key to the list.</summary>
    public void Match(ReadOnlySpan<byte> key, List<Watcher> into)
    {
        if (_keys.Count > 0 && _byKey.TryGetValue(key, out var exact)) into.AddRange(exact);
        if (_groups.Count == 0) return;
        var sorted = _sorted ?? Rebuild();
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (sorted[middle].Range.Start.Span.SequenceCompareTo(key) <= 0) low = middle + 1;
            else high = middle;
        }

        for (var i = low - 1; i >= 0; i--)
        {
            if (_reach[i] is { } reach && reach.AsSpan().SequenceCompareTo(key) <= 0) break;
            if (!sorted[i].Range.EndsBefore(key)) into.AddRange(sorted[i].Watchers);
        }
    }

    private Group[] Rebuild()
    {
        var sorted = _groups.Values.ToArray();
        Array.Sort(sorted, static (a, b) => a.Range.Start.Span.SequenceCompareTo(b.Range.Start.Span));
        _reach = new byte[]?[sorted.Length];
        byte[]? reach = [];
        for (var i = 0; i < sorted.Length; i++)
        {
            if (reach is not null)
            {
                if (sorted[i].Range.IsOpen) reach = null;
                else if (sorted[i].Range.End.Span.SequenceCompareTo(reach) > 0) reach = sorted[i].Range.End.ToArray();
            }

            _reach[i] = reach;
        }

        return _sorted = sorted;
    }

    private static (string, string) GroupId(KeyRange range) =>
        (Convert.ToHexString(range.Start.Span), range.IsOpen ? "open" : Convert.ToHexString(range.End.Span));

    private sealed class Group(KeyRange range)
    {
        public KeyRange Range { get; } = range;
        public List<Watcher> Watchers { get; } = [];
    }

    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static ByteComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
