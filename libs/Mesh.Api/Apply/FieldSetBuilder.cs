namespace Mesh.Api.Apply;

/// <summary>Gathers the children of one node. A struct: most nodes of a tree that is walked never get any.</summary>
internal struct FieldSetBuilder
{
    private string[]? elements;
    private FieldSet[]? nodes;
    private int count;
    private int room;
    private bool unsorted;

    /// <summary>room: children to expect.</summary>
    public FieldSetBuilder(int room) => this.room = room;

    /// <summary>Whether there are children.</summary>
    public readonly bool Any => count > 0;

    /// <summary>Adds a child; an empty one is none. Of equal elements the first added stays, with the paths of both.</summary>
    public void Add(string element, FieldSet? node)
    {
        if (node is null || node.IsEmpty) return;
        if (elements is null)
        {
            room = Math.Max(room, 4);
            elements = new string[room];
            nodes = new FieldSet[room];
        }
        else if (count == elements.Length)
        {
            Array.Resize(ref elements, count * 2);
            Array.Resize(ref nodes, count * 2);
        }

        if (count > 0 && PathElement.Compare(elements[count - 1], element) >= 0) unsorted = true;
        elements[count] = element;
        nodes![count++] = node;
    }

    /// <summary>The node.</summary>
    public FieldSet ToSet(bool member)
    {
        if (count == 0) return member ? FieldSet.Leaf : FieldSet.Empty;
        if (count < elements!.Length)
        {
            Array.Resize(ref elements, count);
            Array.Resize(ref nodes, count);
        }

        if (unsorted) Sort();
        return FieldSet.Make(member, elements, nodes!);
    }

    private void Sort()
    {
        Array.Sort(elements!, nodes, Comparer);
        var last = 0;
        for (var i = 1; i < count; i++)
        {
            if (PathElement.Compare(elements![last], elements[i]) == 0)
            {
                nodes![last] = nodes[last].Union(nodes[i]);
            }
            else
            {
                last++;
                (elements[last], nodes![last]) = (elements[i], nodes[i]);
            }
        }

        if (last + 1 == count) return;
        count = last + 1;
        Array.Resize(ref elements, count);
        Array.Resize(ref nodes, count);
    }

    private static readonly Comparer<string> Comparer = Comparer<string>.Create(PathElement.Compare);
}
