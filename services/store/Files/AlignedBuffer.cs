using System.Runtime.InteropServices;

namespace Mesh.Store.Files;

/// <summary>Memory that begins at a block's boundary, as the kernel wants it for a write that goes around its page cache (open(2), O_DIRECT).</summary>
public sealed unsafe class AlignedBuffer : IDisposable
{
    /// <summary>Bytes of a block: no disk has larger ones, and a page is as large.</summary>
    public const int BlockSize = 4096;

    private byte* _memory;

    /// <summary>At least so many bytes.</summary>
    public AlignedBuffer(int length) => Allocate(length);

    /// <summary>Frees the memory of one that was not disposed of.</summary>
    ~AlignedBuffer() => Free();

    /// <summary>Length in bytes, whole blocks.</summary>
    public int Length { get; private set; }

    /// <summary>All of it.</summary>
    public Span<byte> Span => new(_memory, Length);

    /// <summary>A length made whole blocks.</summary>
    public static long RoundUp(long length) => (length + BlockSize - 1) & -BlockSize;

    /// <summary>Makes room for so many bytes; what is there stays.</summary>
    public void Grow(int length)
    {
        if (length <= Length) return;
        var old = _memory;
        var kept = Length;
        Allocate(Math.Max(length, checked(kept * 2)));
        Buffer.MemoryCopy(old, _memory, Length, kept);
        NativeMemory.AlignedFree(old);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Whether these bytes may go around the page cache to this offset.</summary>
    internal static bool IsAligned(ReadOnlySpan<byte> bytes, long offset)
    {
        fixed (byte* at = bytes) return (((ulong)at | (ulong)offset | (uint)bytes.Length) & (BlockSize - 1)) == 0;
    }

    private void Allocate(int length)
    {
        Length = checked((int)RoundUp(length));
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Length, BlockSize);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        Length = 0;
    }
}
