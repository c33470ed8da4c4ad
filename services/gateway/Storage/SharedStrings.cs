namespace Mesh.Gateway.Storage;

/// <summary>
/// One copy of the strings that many objects of a resource have: namespaces, labels, node names. A small table without promises: what is not found there is
/// taken in, in the place of what was. Readers and writers need no lock, references are replaced whole.
/// </summary>
internal sealed class SharedStrings
{
    private readonly string?[] strings = new string?[1024];
    private readonly KeyValuePair<string, string>[]?[] maps = new KeyValuePair<string, string>[]?[256];

    /// <summary>The string, or an equal one that others have.</summary>
    public string Share(string text)
    {
        ref var place = ref strings[text.GetHashCode() & (strings.Length - 1)];
        var there = Volatile.Read(ref place);
        if (there == text) return there;
        Volatile.Write(ref place, text);
        return text;
    }

    /// <summary>The pairs, or equal ones in the same order that others have.</summary>
    public KeyValuePair<string, string>[] Share(KeyValuePair<string, string>[] map)
    {
        if (map.Length == 0) return map;
        var hash = 0;
        for (var i = 0; i < map.Length; i++)
        {
            map[i] = new(Share(map[i].Key), Share(map[i].Value));
            hash = HashCode.Combine(hash, map[i].Key, map[i].Value);
        }

        ref var place = ref maps[hash & (maps.Length - 1)];
        var there = Volatile.Read(ref place);
        if (there is not null && there.AsSpan().SequenceEqual(map)) return there;
        Volatile.Write(ref place, map);
        return map;
    }
}
