namespace Mesh.Store.Mvcc;

/// <summary>
/// The keys a request speaks of, by etcd's rule: no end is the one key; end "\0" is everything from the key on; else [key, end).
/// </summary>
internal readonly struct KeyRange
{
    private static readonly byte[] s_zero = [0];

    private readonly ReadOnlyMemory<byte> _end;
    private readonly Shape _shape;

    private enum Shape : byte
    {
        Single,
        Bounded,
        Open,
    }

    private KeyRange(ReadOnlyMemory<byte> start, ReadOnlyMemory<byte> end, Shape shape) => (Start, _end, _shape) = (start, end, shape);

    /// <summary>Every key there is.</summary>
    public static KeyRange Everything { get; } = new(default, default, Shape.Open);

    /// <summary>First key.</summary>
    public ReadOnlyMemory<byte> Start { get; }

    /// <summary>Whether it is one key.</summary>
    public bool IsSingle => _shape == Shape.Single;

    /// <summary>Whether it has no upper bound.</summary>
    public bool IsOpen => _shape == Shape.Open;

    /// <summary>Upper bound (exclusive) of a bounded range.</summary>
    public ReadOnlyMemory<byte> End => _end;

    /// <summary>Whether no key can be in it.</summary>
    public bool IsEmpty => _shape == Shape.Bounded && Start.Span.SequenceCompareTo(_end.Span) >= 0;

    /// <summary>A range as requests write it.</summary>
    public static KeyRange Of(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> end)
    {
        if (end.Length == 0) return new(key, default, Shape.Single);
        return end.Length == 1 && end.Span[0] == 0 ? new(key, default, Shape.Open) : new(key, end, Shape.Bounded);
    }

    /// <summary>The range of one key.</summary>
    public static KeyRange Single(ReadOnlyMemory<byte> key) => new(key, default, Shape.Single);

    /// <summary>Whether the key lies past the range's end.</summary>
    public bool EndsBefore(ReadOnlySpan<byte> key) => _shape switch
    {
        Shape.Single => !key.SequenceEqual(Start.Span),
        Shape.Bounded => key.SequenceCompareTo(_end.Span) >= 0,
        _ => false,
    };

    /// <summary>Whether the key lies in the range.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => _shape == Shape.Single
        ? key.SequenceEqual(Start.Span)
        : key.SequenceCompareTo(Start.Span) >= 0 && !EndsBefore(key);

    /// <summary>Whether this range holds every key of the other.</summary>
    public bool Covers(in KeyRange other)
    {
        if (other.IsSingle) return Contains(other.Start.Span);
        if (IsSingle || other.Start.Span.SequenceCompareTo(Start.Span) < 0) return false;
        return IsOpen || (!other.IsOpen && other.End.Span.SequenceCompareTo(End.Span) <= 0);
    }

    /// <summary>Same range with arrays of its own, for keeping.</summary>
    public KeyRange Detach() => new(Start.ToArray(), _shape == Shape.Open ? s_zero : _end.ToArray(), _shape);
}
