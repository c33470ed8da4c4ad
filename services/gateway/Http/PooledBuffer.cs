using System.Buffers;

namespace Mesh.Gateway.Http;

/// <summary>A buffer that grows by the pool's arrays and is emptied and filled again.</summary>
internal sealed class PooledBuffer(int capacity = 16 * 1024) : IBufferWriter<byte>, IDisposable
{
    private byte[] array = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Bytes in it.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes, valid until the next is written.</summary>
    public ReadOnlyMemory<byte> Written => array.AsMemory(0, Length);

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Room(sizeHint);
        return array.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Room(sizeHint);
        return array.AsSpan(Length);
    }

    /// <summary>Empties it.</summary>
    public void Clear() => Length = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(array);
        array = [];
        Length = 0;
    }

    private void Room(int wanted)
    {
        if (array.Length - Length >= Math.Max(wanted, 256)) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(array.Length * 2, Length + wanted));
        array.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        array = larger;
    }
}
