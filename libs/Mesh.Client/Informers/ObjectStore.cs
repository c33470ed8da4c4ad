using Mesh.Api;

namespace Mesh.Client;

/// <summary>
/// An informer's cache: objects by namespace and name, and under the values of every index function.
/// Written by the informer's loop, read by anyone; one lock, held for a dictionary operation or one copy of references.
/// </summary>
internal sealed class ObjectStore<T> : ILister<T>
    where T : class, IKubeObject<T>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<string, T>> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Index> _indexes = new(StringComparer.Ordinal);
    private int _count;

    internal int Count
    {
        get
        {
            lock (_gate) return _count;
        }
    }

    public T? Get(string? ns, string name)
    {
        lock (_gate) return _namespaces.TryGetValue(ns ?? "", out var names) ? names.GetValueOrDefault(name) : null;
    }

    public IReadOnlyCollection<T> List(string? ns = null)
    {
        lock (_gate)
        {
            if (ns is not null) return _namespaces.TryGetValue(ns, out var names) ? [.. names.Values] : [];
            var all = new T[_count];
            var i = 0;
            foreach (var each in _namespaces.Values)
            {
                each.Values.CopyTo(all, i);
                i += each.Count;
            }

            return all;
        }
    }

    public IReadOnlyCollection<T> ByIndex(string index, string value)
    {
        lock (_gate)
        {
            if (!_indexes.TryGetValue(index, out var ix)) throw new ArgumentException($"no index named {index} on {T.Resource.Plural}", nameof(index));
            return ix.Entries.TryGetValue(value, out var objects) ? [.. objects.Values] : [];
        }
    }

    internal void AddIndex(string name, Func<T, IEnumerable<string>> values)
    {
        lock (_gate)
        {
            var index = new Index(values);
            if (!_indexes.TryAdd(name, index)) return; // the same index asked for by two controllers
            foreach (var names in _namespaces.Values)
            {
                foreach (var obj in names.Values) index.Add(obj);
            }
        }
    }

    /// <summary>Files the object; returns the one it replaces.</summary>
    internal T? Set(T obj)
    {
        var (ns, name) = Parts(obj);
        lock (_gate)
        {
            if (!_namespaces.TryGetValue(ns, out var names)) _namespaces[ns] = names = new(StringComparer.Ordinal);
            if (names.TryGetValue(name, out var old))
            {
                foreach (var index in _indexes.Values) index.Remove(old);
            }
            else
            {
                _count++;
            }

            names[name] = obj;
            foreach (var index in _indexes.Values) index.Add(obj);
            return old;
        }
    }

    /// <summary>Takes the object out; returns it if it was there.</summary>
    internal T? Remove(string? ns, string name)
    {
        lock (_gate)
        {
            if (!_namespaces.TryGetValue(ns ?? "", out var names) || !names.Remove(name, out var old)) return null;
            if (names.Count == 0) _namespaces.Remove(ns ?? "");
            _count--;
            foreach (var index in _indexes.Values) index.Remove(old);
            return old;
        }
    }

    private static (string Ns, string Name) Parts(T obj) => (obj.Metadata.Namespace ?? "", obj.Metadata.Name ?? "");

    private sealed class Index(Func<T, IEnumerable<string>> values)
    {
        internal Dictionary<string, Dictionary<(string, string), T>> Entries { get; } = new(StringComparer.Ordinal);

        internal void Add(T obj)
        {
            foreach (var value in values(obj))
            {
                if (!Entries.TryGetValue(value, out var objects)) Entries[value] = objects = [];
                objects[Parts(obj)] = obj;
            }
        }

        internal void Remove(T obj)
        {
            foreach (var value in values(obj))
            {
                if (Entries.TryGetValue(value, out var objects) && objects.Remove(Parts(obj)) && objects.Count == 0) Entries.Remove(value);
            }
        }
    }
}
