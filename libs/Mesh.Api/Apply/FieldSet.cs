using System.Text;

namespace Mesh.Api.Apply;

/// <summary>
/// A set of field paths, as a tree: a node is a path; it is in the set when <see cref="IsMember"/>, and has the paths below it as children,
/// sorted by <see cref="PathElement.Compare"/>. Immutable, so that sets share what they have in common.
/// </summary>
public sealed class FieldSet : IEquatable<FieldSet>
{
    private readonly string[] elements;
    private readonly FieldSet[] nodes;

    private FieldSet(bool member, string[] elements, FieldSet[] nodes)
    {
        IsMember = member;
        this.elements = elements;
        this.nodes = nodes;
    }

    /// <summary>No path.</summary>
    public static FieldSet Empty { get; } = new(false, [], []);

    /// <summary>The path itself and nothing below.</summary>
    internal static FieldSet Leaf { get; } = new(true, [], []);

    /// <summary>Whether nothing is in the set.</summary>
    public bool IsEmpty => !IsMember && nodes.Length == 0;

    /// <summary>Whether the path of this node is in the set.</summary>
    internal bool IsMember { get; }

    /// <summary>The last steps of the children's paths.</summary>
    internal ReadOnlySpan<string> Elements => elements;

    /// <summary>The children.</summary>
    internal ReadOnlySpan<FieldSet> Nodes => nodes;

    /// <summary>How many paths are in the set.</summary>
    public int Count
    {
        get
        {
            var count = IsMember ? 1 : 0;
            foreach (var node in nodes) count += node.Count;
            return count;
        }
    }

    /// <summary>The set of one path, in the form of FieldsV1 ("f:spec", "f:replicas").</summary>
    public static FieldSet Of(params ReadOnlySpan<string> path)
    {
        var set = Leaf;
        for (var i = path.Length - 1; i >= 0; i--) set = new FieldSet(false, [path[i]], [set]);
        return set;
    }

    /// <summary>The node below a step, or null.</summary>
    internal FieldSet? Child(string element)
    {
        var (low, high) = (0, elements.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = ReferenceEquals(elements[middle], element) ? 0 : PathElement.Compare(elements[middle], element);
            if (order == 0) return nodes[middle];
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return null;
    }

    /// <summary>A node of children that are sorted and not empty.</summary>
    internal static FieldSet Make(bool member, string[] elements, FieldSet[] nodes) =>
        elements.Length > 0 ? new FieldSet(member, elements, nodes) : member ? Leaf : Empty;

    /// <summary>The same children, the path itself in the set.</summary>
    internal FieldSet AsMember() => IsMember ? this : nodes.Length == 0 ? Leaf : new FieldSet(true, elements, nodes);

    /// <summary>What is in either.</summary>
    public FieldSet Union(FieldSet other)
    {
        if (ReferenceEquals(this, other) || other.IsEmpty) return this;
        if (IsEmpty) return other;
        var build = new FieldSetBuilder(nodes.Length + other.nodes.Length);
        var same = IsMember || !other.IsMember;
        var (i, j) = (0, 0);
        while (i < nodes.Length || j < other.nodes.Length)
        {
            var order = Order(i, other, j);
            if (order < 0)
            {
                build.Add(elements[i], nodes[i]);
                i++;
            }
            else if (order > 0)
            {
                build.Add(other.elements[j], other.nodes[j]);
                same = false;
                j++;
            }
            else
            {
                var both = nodes[i].Union(other.nodes[j]);
                same &= ReferenceEquals(both, nodes[i]);
                build.Add(elements[i], both);
                i++;
                j++;
            }
        }

        return same ? this : build.ToSet(IsMember || other.IsMember);
    }

    /// <summary>What is in this and not in the other. Paths below a path of the other stay.</summary>
    public FieldSet Except(FieldSet other) => Without(other, below: false);

    /// <summary>What is in this and neither in the other nor below a path of it.</summary>
    public FieldSet ExceptBelow(FieldSet other) => Without(other, below: true);

    /// <summary>What is in both.</summary>
    public FieldSet Intersect(FieldSet other)
    {
        if (ReferenceEquals(this, other)) return this;
        var build = new FieldSetBuilder(Math.Min(nodes.Length, other.nodes.Length));
        var (i, j) = (0, 0);
        while (i < nodes.Length && j < other.nodes.Length)
        {
            var order = Order(i, other, j);
            if (order == 0) build.Add(elements[i], nodes[i].Intersect(other.nodes[j]));
            if (order <= 0) i++;
            if (order >= 0) j++;
        }

        return build.ToSet(IsMember && other.IsMember);
    }

    /// <summary>Whether every path of the other is in this.</summary>
    public bool Contains(FieldSet other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other.IsMember && !IsMember) return false;
        for (var j = 0; j < other.nodes.Length; j++)
        {
            if (Child(other.elements[j]) is not { } node || !node.Contains(other.nodes[j])) return false;
        }

        return true;
    }

    /// <summary>The paths as people are shown them: those of a node's children, then those below them.</summary>
    public IEnumerable<string> Paths()
    {
        var found = new List<string>();
        Collect(new StringBuilder(), found);
        return found;
    }

    /// <inheritdoc/>
    public bool Equals(FieldSet? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || IsMember != other.IsMember || nodes.Length != other.nodes.Length) return false;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (elements[i] != other.elements[i] || !nodes[i].Equals(other.nodes[i])) return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsMember, nodes.Length, nodes.Length > 0 ? elements[0] : "");

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Paths());

    private FieldSet Without(FieldSet other, bool below)
    {
        if (other.IsEmpty || IsEmpty) return this;
        if (below && other.IsMember) return Empty;
        var build = new FieldSetBuilder(nodes.Length);
        var member = IsMember && !other.IsMember;
        var same = member == IsMember;
        var j = 0;
        for (var i = 0; i < nodes.Length; i++)
        {
            var order = -1;
            while (j < other.nodes.Length && (order = Order(i, other, j)) > 0) j++;
            var rest = j < other.nodes.Length && order == 0 ? nodes[i].Without(other.nodes[j], below) : nodes[i];
            same &= ReferenceEquals(rest, nodes[i]);
            build.Add(elements[i], rest);
        }

        return same ? this : build.ToSet(member);
    }

    private int Order(int i, FieldSet other, int j)
    {
        if (i >= nodes.Length) return 1;
        if (j >= other.nodes.Length) return -1;
        return ReferenceEquals(elements[i], other.elements[j]) ? 0 : PathElement.Compare(elements[i], other.elements[j]);
    }

    private void Collect(StringBuilder path, List<string> found)
    {
        var length = path.Length;
        for (var i = 0; i < nodes.Length; i++)
        {
            if (!nodes[i].IsMember) continue;
            PathElement.Print(path, elements[i]);
            found.Add(path.ToString());
            path.Length = length;
        }

        for (var i = 0; i < nodes.Length; i++)
        {
            if (nodes[i].nodes.Length == 0) continue;
            PathElement.Print(path, elements[i]);
            nodes[i].Collect(path, found);
            path.Length = length;
        }
    }
}
