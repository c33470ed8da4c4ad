using System.Buffers.Binary;

namespace Mesh.Rpc.Lean;

/// <summary>
/// What both ends of a connection do with frames (RFC 9113): checks them, puts header blocks together, answers pings, keeps the connection's window open. What a stream's
/// frames mean is the end's own.
/// </summary>
internal abstract class FrameReceiver
{
    private const int MaxHeaderBlock = 64 * 1024;
    private byte[]? _headerBlock; // collects CONTINUATION frames
    private int _headerLength;
    private int _headerStream;
    private byte _headerFlags;
    private int _unreturned;

    /// <summary>The other half of the connection.</summary>
    protected abstract FrameOutput Sender { get; }

    /// <summary>Acts on one whole frame.</summary>
    /// <exception cref="Http2Exception">The peer broke the protocol.</exception>
    protected void OnFrame(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        if (_headerBlock is not null && (type != Http2Frame.Continuation || stream != _headerStream)) throw new Http2Exception(Http2Error.Protocol, "CONTINUATION expected");
        switch (type)
        {
            case Http2Frame.Data:
                if (stream == 0) throw new Http2Exception(Http2Error.Protocol, "DATA of no stream");
                ReturnWindow(payload.Length);
                OnData(stream, flags, payload.Length, Http2.Unpad(flags, payload));
                break;
            case Http2Frame.Headers:
                payload = Http2.Unpad(flags, payload);
                if ((flags & Http2.HasPriority) != 0) payload = payload.Length >= 5 ? payload[5..] : throw new Http2Exception(Http2Error.FrameSize, "HEADERS");
                if ((flags & Http2.EndHeaders) != 0)
                {
                    OnHead(stream, flags, payload);
                    break;
                }

                (_headerBlock, _headerLength, _headerStream, _headerFlags) = (new byte[Http2.DefaultFrameSize], 0, stream, flags);
                Collect(payload);
                break;
            case Http2Frame.Continuation:
                if (_headerBlock is null) throw new Http2Exception(Http2Error.Protocol, "CONTINUATION of nothing");
                Collect(payload);
                if ((flags & Http2.EndHeaders) == 0) return;
                var block = _headerBlock;
                _headerBlock = null;
                OnHead(_headerStream, _headerFlags, block.AsSpan(0, _headerLength));
                break;
            case Http2Frame.ResetStream:
                if (stream == 0 || payload.Length != 4) throw new Http2Exception(Http2Error.Protocol, "RST_STREAM");
                OnReset(stream, (Http2Error)BinaryPrimitives.ReadInt32BigEndian(payload));
                break;
            case Http2Frame.Settings:
                if (stream != 0) throw new Http2Exception(Http2Error.Protocol, "SETTINGS on a stream");
                if ((flags & Http2.Ack) == 0) OnSettings(PeerSettings.Read(payload));
                break;
            case Http2Frame.Ping:
                if (stream != 0 || payload.Length != 8) throw new Http2Exception(Http2Error.Protocol, "PING");
                if ((flags & Http2.Ack) == 0) Sender.Frame(Http2Frame.Ping, Http2.Ack, 0, payload);
                break;
            case Http2Frame.WindowUpdate:
                if (payload.Length != 4) throw new Http2Exception(Http2Error.FrameSize, "WINDOW_UPDATE");
                var by = BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;
                if (by == 0) throw new Http2Exception(Http2Error.Protocol, "WINDOW_UPDATE of nothing");
                OnWindow(stream, by);
                break;
            case Http2Frame.GoAway:
                if (stream != 0 || payload.Length < 8) throw new Http2Exception(Http2Error.Protocol, "GOAWAY");
                OnGoAway(BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue);
                break;
            case Http2Frame.PushPromise:
                throw new Http2Exception(Http2Error.Protocol, "nobody may push");
            default:
                break; // PRIORITY, and what is yet to be invented
        }
    }

    /// <summary>A whole header block. The compression table must follow it even when nobody wants its fields.</summary>
    protected abstract void OnHead(int stream, byte flags, ReadOnlySpan<byte> block);

    /// <summary>Bytes of a stream; <paramref name="size"/>: what they took of its window, padding included.</summary>
    protected abstract void OnData(int stream, byte flags, int size, ReadOnlySpan<byte> data);

    /// <summary>The peer ends a stream.</summary>
    protected abstract void OnReset(int stream, Http2Error error);

    /// <summary>The peer's settings.</summary>
    protected abstract void OnSettings(PeerSettings settings);

    /// <summary>More room at a stream, or at the connection (0).</summary>
    protected abstract void OnWindow(int stream, int by);

    /// <summary>The peer takes no streams beyond this one.</summary>
    protected abstract void OnGoAway(int lastStream);

    private void Collect(ReadOnlySpan<byte> part)
    {
        if (_headerLength + part.Length > MaxHeaderBlock) throw new Http2Exception(Http2Error.EnhanceYourCalm, "the headers are too large");
        if (_headerLength + part.Length > _headerBlock!.Length) Array.Resize(ref _headerBlock, _headerLength + part.Length);
        part.CopyTo(_headerBlock.AsSpan(_headerLength));
        _headerLength += part.Length;
    }

    private void ReturnWindow(int bytes)
    {
        _unreturned += bytes;
        if (_unreturned < Http2.ConnectionWindow / 4) return;
        Sender.Frame(Http2Frame.WindowUpdate, 0, _unreturned);
        _unreturned = 0;
    }
}
