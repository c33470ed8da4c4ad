namespace Mesh.Store.Mvcc;

/// <summary>An immutable view of the tree's keys.</summary>
internal readonly struct KeyTreeView
{
    private readonly KeyTree.Node _root;

    internal KeyTreeView(KeyTree.Node root) => _root = root;

    /// <summary>The entry of a key, or null.</summary>
    public KeyEntry? Find(ReadOnlySpan<byte> key)
    {
        var node = _root;
        while (node is KeyTree.Inner inner) node = inner.Children[inner.ChildFor(key)];
        var leaf = (KeyTree.Leaf)node;
        var at = leaf.LowerBound(key);
        return at < leaf.Count && leaf.Entries[at].Key.AsSpan().SequenceEqual(key) ? leaf.Entries[at] : null;
    }

    /// <summary>Walks the entries of a range in key order.</summary>
    public Walker Walk(KeyRange range) => new(_root, range);

    /// <summary>Forward walk over a range; a stack of at most a few nodes.</summary>
    public struct Walker
    {
        private readonly KeyRange _range;
        private readonly (KeyTree.Inner Node, int At)[] _path;
        private int _depth;
        private KeyTree.Leaf? _leaf;
        private int _at;

        internal Walker(KeyTree.Node root, KeyRange range)
        {
            _range = range;
            _path = new (KeyTree.Inner, int)[12];
            var start = range.Start.Span;
            var node = root;
            while (node is KeyTree.Inner inner)
            {
                var child = inner.ChildFor(start);
                _path[_depth++] = (inner, child);
                node = inner.Children[child];
            }

            _leaf = (KeyTree.Leaf)node;
            _at = _leaf.LowerBound(start) - 1;
        }

        /// <summary>The entry the walk stands on.</summary>
        public readonly KeyEntry Current => _leaf!.Entries[_at];

        /// <summary>Steps to the next entry; false after the last.</summary>
        public bool MoveNext()
        {
            if (_leaf is null) return false;
            _at++;
            if (_at >= _leaf.Count && !NextLeaf()) return false;
            if (_range.EndsBefore(_leaf!.Entries[_at].Key))
            {
                _leaf = null;
                return false;
            }

            return true;
        }

        private bool NextLeaf()
        {
            while (_depth > 0)
            {
                var (inner, child) = _path[--_depth];
                if (child + 1 >= inner.Count) continue;
                _path[_depth++] = (inner, child + 1);
                var node = inner.Children[child + 1];
                while (node is KeyTree.Inner below)
                {
                    _path[_depth++] = (below, 0);
                    node = below.Children[0];
                }

                _leaf = (KeyTree.Leaf)node;
                _at = 0;
                if (_leaf.Count > 0) return true;
            }

            _leaf = null;
            return false;
        }
    }
}
