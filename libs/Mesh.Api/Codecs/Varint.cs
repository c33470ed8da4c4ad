using System.Numerics;

namespace Mesh.Api.Codecs;

/// <summary>Protobuf's numbers of variable length: seven bits a byte, the least first, the high bit says that more follow.</summary>
public static class Varint
{
    /// <summary>Most bytes of one.</summary>
    public const int MaxSize = 10;

    /// <summary>Bytes that a value takes.</summary>
    public static int Size(ulong value) => ((BitOperations.Log2(value | 1) * 9) + 73) >> 6;

    /// <summary>Writes a value and says how many bytes it took; the target must have <see cref="Size"/> of them.</summary>
    public static int Write(Span<byte> target, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) target[at++] = (byte)(value | 0x80);
        target[at++] = (byte)value;
        return at;
    }

    /// <summary>Reads the value at the beginning and says how many bytes it took; 0: the source ends within it, -1: no end within <see cref="MaxSize"/> bytes.</summary>
    public static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        for (var at = 0; at < MaxSize; at++)
        {
            if (at >= source.Length) return 0;
            var b = source[at];
            value |= (ulong)(b & 0x7f) << (7 * at);
            if (b < 0x80) return at + 1;
        }

        return -1;
    }
}
