using System.Buffers;

namespace Mesh.Rpc.Lean;

/// <summary>Frames that wait for the next write: one buffer is filled while the other is being written. Its owner's lock guards it.</summary>
internal sealed class FrameBuffer
{
    private const int SmallBuffer = 16 * 1024;
    private const int KeepBuffer = 64 * 1024;
    private byte[] _filling = ArrayPool<byte>.Shared.Rent(SmallBuffer);
    private byte[] _writing = ArrayPool<byte>.Shared.Rent(SmallBuffer);
    private int _length;

    /// <summary>Bytes that wait.</summary>
    public int Length => Volatile.Read(ref _length);

    /// <summary>Largest frame that the peer takes.</summary>
    public int FrameSize { get; private set; } = Http2.DefaultFrameSize;

    /// <summary>The peer's SETTINGS_MAX_FRAME_SIZE.</summary>
    public void LimitFrames(int size) => FrameSize = Math.Min(size, Http2.MaxFrameSize);

    /// <summary>A frame; a header block that is larger than one goes out in pieces, everything else fits by construction.</summary>
    public void Append(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > FrameSize)
        {
            Append(type, (byte)(flags & ~Http2.EndHeaders), stream, payload[..FrameSize]);
            payload = payload[FrameSize..];
            while (payload.Length > FrameSize)
            {
                Append(Http2Frame.Continuation, 0, stream, payload[..FrameSize]);
                payload = payload[FrameSize..];
            }

            Append(Http2Frame.Continuation, Http2.EndHeaders, stream, payload);
            return;
        }

        Http2.WriteFrameHeader(Take(Http2.FrameHeaderSize + payload.Length), payload.Length, type, flags, stream);
        payload.CopyTo(_filling.AsSpan(_length - payload.Length));
    }

    /// <summary>Bytes that are no frame (a client's preface).</summary>
    public void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>What waits, to be written; what comes from now on is filled into the other buffer. Empty when nothing waits: large buffers are given back then.</summary>
    public ReadOnlyMemory<byte> Swap()
    {
        if (_length == 0)
        {
            if (_writing.Length > KeepBuffer) _writing = Small(_writing);
            if (_filling.Length > KeepBuffer) _filling = Small(_filling);
            return default;
        }

        (_filling, _writing) = (_writing, _filling);
        var length = _length;
        _length = 0;
        return _writing.AsMemory(0, length);
    }

    private static byte[] Small(byte[] large)
    {
        ArrayPool<byte>.Shared.Return(large);
        return ArrayPool<byte>.Shared.Rent(SmallBuffer);
    }

    private Span<byte> Take(int count)
    {
        var need = _length + count;
        if (need > _filling.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_filling.Length * 2, need));
            _filling.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_filling);
            _filling = larger;
        }

        var taken = _filling.AsSpan(_length, count);
        _length = need;
        return taken;
    }
}
