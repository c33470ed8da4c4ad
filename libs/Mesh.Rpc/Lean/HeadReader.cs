namespace Mesh.Rpc.Lean;

/// <summary>
/// Header blocks of one connection as heads. A peer sends the same few blocks again and again: those that did not change the compression table are remembered, for as
/// long as the table stays as it was.
/// </summary>
/// <param name="keep">Heads remembered.</param>
/// <param name="make">Makes a head of the decoded fields; the list is used again.</param>
internal sealed class HeadReader<T>(int keep, Func<List<(string, string)>, T> make)
{
    private readonly HpackDecoder _hpack = new();
    private readonly List<(string, string)> _fields = [];
    private readonly List<(int Generation, byte[] Block, T Head)> _heads = [];

    /// <summary>The head of a block.</summary>
    public T Read(ReadOnlySpan<byte> block)
    {
        foreach (var known in _heads)
        {
            if (known.Generation == _hpack.Generation && block.SequenceEqual(known.Block)) return known.Head;
        }

        var before = _hpack.Generation;
        Skip(block);
        var head = make(_fields);
        if (_hpack.Generation != before) return head;
        if (_heads.Count == keep) _heads.RemoveAt(0);
        _heads.Add((before, block.ToArray(), head));
        return head;
    }

    /// <summary>Follows a block that nobody wants the fields of: the table must.</summary>
    public void Skip(ReadOnlySpan<byte> block)
    {
        _fields.Clear();
        _hpack.Decode(block, _fields);
    }
}
