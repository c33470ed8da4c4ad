using System.Globalization;

namespace Mesh.Scheduler.Model;

/// <summary>A taint without its time.</summary>
internal readonly record struct TaintKey(string Key, string Value, string Effect);

/// <summary>A host port as containers ask for it.</summary>
internal readonly record struct HostPort(string Ip, string Protocol, int Port)
{
    /// <summary>Address that stands for all of the host's.</summary>
    public const string Any = "0.0.0.0";

    /// <summary>Whether both cannot be served by one host.</summary>
    public bool Collides(HostPort other) => Port == other.Port && Protocol == other.Protocol && (Ip == other.Ip || Ip == Any || other.Ip == Any);
}

/// <summary>Gives every label pair, key, taint, port, resource and zone a small number. Numbers are never taken back: their count follows what a cluster has ever said.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<(string Key, string Value), int> _pairs = [];
    private readonly Dictionary<string, int> _keys = [];
    private readonly Dictionary<string, List<(string Value, int Id)>> _values = [];
    private readonly Interned<TaintKey> _taints = new();
    private readonly Interned<HostPort> _ports = new();
    private readonly Interned<string> _resources = new();
    private readonly Interned<string> _zones = new();

    /// <summary>Taints by number.</summary>
    public IReadOnlyList<TaintKey> Taints => _taints.Values;

    /// <summary>Ports by number.</summary>
    public IReadOnlyList<HostPort> Ports => _ports.Values;

    /// <summary>Number of a label pair.</summary>
    public int Pair(string key, string value)
    {
        if (_pairs.TryGetValue((key, value), out var id)) return id;
        _pairs[(key, value)] = id = _pairs.Count;
        if (!_values.TryGetValue(key, out var values)) _values[key] = values = [];
        values.Add((value, id));
        return id;
    }

    /// <summary>Number of a label key.</summary>
    public int Key(string key)
    {
        if (!_keys.TryGetValue(key, out var id)) _keys[key] = id = _keys.Count;
        return id;
    }

    /// <summary>Number of a taint.</summary>
    public int Taint(TaintKey taint) => _taints.Id(taint);

    /// <summary>Number of a host port.</summary>
    public int Port(HostPort port) => _ports.Id(port);

    /// <summary>Number of an extended resource.</summary>
    public int Resource(string name) => _resources.Id(name);

    /// <summary>Number of a zone, -1 for none.</summary>
    public int Zone(string? name) => string.IsNullOrEmpty(name) ? -1 : _zones.Id(name);

    /// <summary>The pairs of a key whose value is a whole number above (or below) a bound.</summary>
    public int[] PairsCompared(string key, long bound, bool above) => !_values.TryGetValue(key, out var values) ? []
        : [.. values.Where(v => long.TryParse(v.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && (above ? number > bound : number < bound)).Select(v => v.Id)];

    private sealed class Interned<T>
        where T : notnull
    {
        private readonly Dictionary<T, int> _ids = [];

        public List<T> Values { get; } = [];

        public int Id(T value)
        {
            if (_ids.TryGetValue(value, out var id)) return id;
            _ids[value] = id = Values.Count;
            Values.Add(value);
            return id;
        }
    }
}
