using Mesh.Scheduler.Cluster;

namespace Mesh.Scheduler.Constraints;

/// <summary>Which domain each node is in, for the topology keys that constraints have named. A column a key, made when first asked for.</summary>
internal sealed class Topology(IReadOnlyList<NodeEntry?> nodes)
{
    /// <summary>The label whose value is the node's own.</summary>
    public const string Hostname = "kubernetes.io/hostname";

    private const int MostColumns = 64;
    private readonly Dictionary<string, Column> _columns = [];

    /// <summary>The domains of a topology key.</summary>
    public Column Of(string key)
    {
        if (_columns.TryGetValue(key, out var column)) return column;
        if (_columns.Count >= MostColumns) _columns.Clear();
        column = new Column();
        for (var slot = 0; slot < nodes.Count; slot++) column.Set(slot, nodes[slot]?.Labels.GetValueOrDefault(key));
        return _columns[key] = column;
    }

    /// <summary>The node of a slot came, changed or went.</summary>
    public void Changed(int slot)
    {
        foreach (var (key, column) in _columns)
        {
            column.Set(slot, nodes[slot]?.Labels.GetValueOrDefault(key));

            // Values are never taken back one by one: nodes that come and go would make the column grow for ever.
            if (column.Domains > (2 * nodes.Count) + 64) _columns.Remove(key);
        }
    }

    /// <summary>The domain of each slot.</summary>
    internal sealed class Column
    {
        private readonly Dictionary<string, int> _ids = [];
        private int[] _domains = [];

        /// <summary>How many domains there are or were.</summary>
        public int Domains => _ids.Count;

        /// <summary>The domain of a slot's node, from 0; -1 when it has none.</summary>
        public int this[int slot] => (uint)slot < (uint)_domains.Length ? _domains[slot] - 1 : -1;

        public void Set(int slot, string? value)
        {
            if (slot >= _domains.Length) Array.Resize(ref _domains, Math.Max(slot + 1, _domains.Length * 2));
            if (value is null)
            {
                _domains[slot] = 0;
                return;
            }

            if (!_ids.TryGetValue(value, out var id)) _ids[value] = id = _ids.Count;
            _domains[slot] = id + 1;
        }

        /// <summary>Pods by domain.</summary>
        public long[] Sum(SlotCounts counts, int slots)
        {
            var sums = new long[Domains];
            for (var slot = 0; slot < slots; slot++)
            {
                if (this[slot] is >= 0 and var domain) sums[domain] += counts[slot];
            }

            return sums;
        }
    }
}
