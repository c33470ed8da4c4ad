namespace Mesh.Packing;

/// <summary>A packed value; immutable.</summary>
public sealed class Packed
{
    private readonly PackDictionary dictionary;
    private readonly byte[] bytes;

    internal Packed(PackDictionary dictionary, byte[] bytes, int length)
    {
        this.dictionary = dictionary;
        this.bytes = bytes;
        Length = length;
    }

    /// <summary>Length of the value in bytes.</summary>
    public int Length { get; }

    /// <summary>Bytes it takes packed, without what the objects cost.</summary>
    public int PackedLength => bytes.Length;

    /// <summary>Writes the value's <see cref="Length"/> bytes to the beginning of a span.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The span is shorter.</exception>
    public void CopyTo(Span<byte> value) => dictionary.Unpack(bytes, value[..Length]);

    /// <summary>The value in an array of its own.</summary>
    public byte[] ToArray()
    {
        var value = GC.AllocateUninitializedArray<byte>(Length);
        CopyTo(value);
        return value;
    }
}
