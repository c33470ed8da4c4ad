namespace Mesh.Store.Mvcc;

/// <summary>
/// The ordered map of keys: a B+tree copied on write. <see cref="Snapshot"/> hands out the root in O(1); readers walk it without a lock while the one
/// writer goes on. Nodes made since the last snapshot are changed in place, so a batch of inserts copies each touched node once.
/// </summary>
internal sealed class KeyTree
{
    internal const int Capacity = 64;
    private object _edition = new();
    private Node _root;

    public KeyTree() => _root = new Leaf(_edition);

    /// <summary>Number of keys, dead ones that are not yet compacted included.</summary>
    public int Count { get; private set; }

    /// <summary>An immutable view of the keys as they are now.</summary>
    public KeyTreeView Snapshot()
    {
        _edition = new object();
        return new KeyTreeView(_root);
    }

    /// <summary>The writer's own view, not to be kept across changes.</summary>
    public KeyTreeView Current => new(_root);

    /// <summary>Finds a key or adds it.</summary>
    public KeyEntry GetOrAdd(ReadOnlySpan<byte> key, out bool added)
    {
        if (Current.Find(key) is { } found)
        {
            added = false;
            return found;
        }

        added = true;
        var entry = new KeyEntry(key.ToArray());
        Insert(entry);
        return entry;
    }

    /// <summary>Adds a key that is not there.</summary>
    public void Insert(KeyEntry entry)
    {
        _root = _root.Own(_edition);
        if (_root.Insert(entry, _edition) is { } right)
        {
            var root = new Inner(_edition);
            root.Children[0] = _root;
            root.Children[1] = right;
            root.Separators[1] = right.FirstKey();
            root.Count = 2;
            _root = root;
        }

        Count++;
    }

    /// <summary>Removes a key; false when it is not there.</summary>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        if (Current.Find(key) is null) return false;
        _root = _root.Own(_edition);
        _root.Remove(key, _edition);
        while (_root is Inner { Count: 1 } inner) _root = inner.Children[0];
        if (_root is Inner { Count: 0 }) _root = new Leaf(_edition);
        Count--;
        return true;
    }

    internal abstract class Node(object edition)
    {
        public int Count;
        protected object Edition { get; } = edition;

        /// <summary>This node when it was made in the edition, else a copy that was.</summary>
        public Node Own(object edition) => ReferenceEquals(Edition, edition) ? this : Copy(edition);

        /// <summary>Inserts below this owned node; returns the new right sibling when it had to split.</summary>
        public abstract Node? Insert(KeyEntry entry, object edition);

        public abstract void Remove(ReadOnlySpan<byte> key, object edition);

        /// <summary>Appends the other node's content to this owned node.</summary>
        public abstract void Absorb(Node right);

        public abstract byte[] FirstKey();

        protected abstract Node Copy(object edition);
    }

    internal sealed class Leaf(object edition) : Node(edition)
    {
        public readonly KeyEntry[] Entries = new KeyEntry[Capacity];

        /// <summary>Position of the first key not below the given one.</summary>
        public int LowerBound(ReadOnlySpan<byte> key)
        {
            int low = 0, high = Count;
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (Entries[middle].Key.AsSpan().SequenceCompareTo(key) < 0) low = middle + 1;
                else high = middle;
            }

            return low;
        }

        public override Node? Insert(KeyEntry entry, object edition)
        {
            var at = LowerBound(entry.Key);
            if (Count < Capacity)
            {
                Place(at, entry);
                return null;
            }

            // Keys often arrive in order: splitting at the end keeps leaves full then.
            var split = at == Capacity ? Capacity - 1 : Capacity / 2;
            var right = new Leaf(edition);
            Array.Copy(Entries, split, right.Entries, 0, Count - split);
            right.Count = Count - split;
            Array.Clear(Entries, split, Count - split);
            Count = split;
            if (at <= split && at != Capacity) Place(at, entry);
            else right.Place(at - split, entry);
            return right;
        }

        public override void Remove(ReadOnlySpan<byte> key, object edition)
        {
            var at = LowerBound(key);
            Array.Copy(Entries, at + 1, Entries, at, Count - at - 1);
            Entries[--Count] = null!;
        }

        public override void Absorb(Node right)
        {
            var leaf = (Leaf)right;
            Array.Copy(leaf.Entries, 0, Entries, Count, leaf.Count);
            Count += leaf.Count;
        }

        public override byte[] FirstKey() => Entries[0].Key;

        protected override Node Copy(object edition)
        {
            var copy = new Leaf(edition) { Count = Count };
            Array.Copy(Entries, copy.Entries, Count);
            return copy;
        }

        private void Place(int at, KeyEntry entry)
        {
            Array.Copy(Entries, at, Entries, at + 1, Count - at);
            Entries[at] = entry;
            Count++;
        }
    }

    /// <summary>Separators[i] is at or below every key of Children[i], and above every key of Children[i-1]; Separators[0] is not used.</summary>
    internal sealed class Inner(object edition) : Node(edition)
    {
        public readonly byte[][] Separators = new byte[Capacity][];
        public readonly Node[] Children = new Node[Capacity];

        /// <summary>The child whose range holds the key.</summary>
        public int ChildFor(ReadOnlySpan<byte> key)
        {
            int low = 1, high = Count;
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                if (Separators[middle].AsSpan().SequenceCompareTo(key) <= 0) low = middle + 1;
                else high = middle;
            }

            return low - 1;
        }

        public override Node? Insert(KeyEntry entry, object edition)
        {
            var at = ChildFor(entry.Key);
            var child = Children[at] = Children[at].Own(edition);
            if (child.Insert(entry, edition) is not { } added) return null;
            var separator = added.FirstKey();
            if (Count < Capacity)
            {
                Place(at + 1, separator, added);
                return null;
            }

            var split = at + 1 == Capacity ? Capacity - 1 : Capacity / 2;
            var right = new Inner(edition);
            Array.Copy(Children, split, right.Children, 0, Count - split);
            Array.Copy(Separators, split, right.Separators, 0, Count - split);
            right.Count = Count - split;
            Array.Clear(Children, split, Count - split);
            Array.Clear(Separators, split, Count - split);
            Count = split;
            if (at + 1 <= split && at + 1 != Capacity) Place(at + 1, separator, added);
            else right.Place(at + 1 - split, separator, added);
            return right;
        }

        public override void Remove(ReadOnlySpan<byte> key, object edition)
        {
            var at = ChildFor(key);
            var child = Children[at] = Children[at].Own(edition);
            child.Remove(key, edition);
            if (child.Count == 0)
            {
                Drop(at);
                return;
            }

            if (child.Count >= Capacity / 4) return;
            var left = at > 0 ? at - 1 : at;
            if (left + 1 >= Count || Children[left].Count + Children[left + 1].Count > Capacity * 3 / 4) return;
            var merged = Children[left] = Children[left].Own(edition);
            if (merged is Inner inner) inner.AbsorbWith(Separators[left + 1], Children[left + 1]);
            else merged.Absorb(Children[left + 1]);
            Drop(left + 1);
        }

        public override void Absorb(Node right) => AbsorbWith(right.FirstKey(), right);

        public override byte[] FirstKey() => Children[0].FirstKey();

        protected override Node Copy(object edition)
        {
            var copy = new Inner(edition) { Count = Count };
            Array.Copy(Children, copy.Children, Count);
            Array.Copy(Separators, copy.Separators, Count);
            return copy;
        }

        private void AbsorbWith(byte[] separator, Node right)
        {
            var inner = (Inner)right;
            Array.Copy(inner.Children, 0, Children, Count, inner.Count);
            Array.Copy(inner.Separators, 0, Separators, Count, inner.Count);
            Separators[Count] = separator;
            Count += inner.Count;
        }

        private void Place(int at, byte[] separator, Node child)
        {
            Array.Copy(Children, at, Children, at + 1, Count - at);
            Array.Copy(Separators, at, Separators, at + 1, Count - at);
            Children[at] = child;
            Separators[at] = separator;
            Count++;
        }

        private void Drop(int at)
        {
            Array.Copy(Children, at + 1, Children, at, Count - at - 1);
            Array.Copy(Separators, at + 1, Separators, at, Count - at - 1);
            Count--;
            Children[Count] = null!;
            Separators[Count] = null!;
        }
    }
}
