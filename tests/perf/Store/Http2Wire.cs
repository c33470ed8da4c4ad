using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mesh.Perf.Store;

/// <summary>
/// As little of an HTTP/2 client as measures a server: one blocking socket, no tasks, headers encoded once. Both peers get the same bytes and this costs
/// a few microseconds a call, so that the server is what is measured.
/// </summary>
internal sealed class Http2Wire : IDisposable
{
    public const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 1 << 20, ReceiveBufferSize = 1 << 20 };
    private readonly byte[] _firstHeaders;
    private byte[] _out = new byte[1 << 16];
    private int _outLength;
    private byte[] _in = new byte[1 << 19];
    private int _inStart;
    private int _inEnd;
    private long _consumed;
    private bool _headersSent;

    public Http2Wire(string address, string path)
    {
        var uri = new Uri(address);
        _socket.Connect(IPAddress.Loopback, uri.Port);
        _firstHeaders = [0x83, 0x86, .. Indexed(0x44, path), .. Indexed(0x41, uri.Authority), .. Indexed(0x5f, "application/grpc"), 0x40, .. Text("te"), .. Text("trailers")];
        Append("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        // Windows so large that reading never waits for us.
        Append([0, 0, 6, Settings, 0, 0, 0, 0, 0, 0, 4, 0x3f, 0xff, 0xff, 0xff]);
        Append([0, 0, 4, WindowUpdate, 0, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff]);
        Send();

        static byte[] Indexed(byte kind, string value) => [kind, .. Text(value)];
        static byte[] Text(string value) => [(byte)value.Length, .. Encoding.ASCII.GetBytes(value)];
    }

    /// <summary>Bytes of DATA that the server takes now.</summary>
    public long SendWindow { get; private set; } = 65_535;

    public int OutLength => _outLength;

    /// <summary>Begins a call with one message.</summary>
    public void Request(int stream, ReadOnlySpan<byte> message, bool end)
    {
        Frame(Headers, 0x4, stream, _headersSent ? [0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe] : _firstHeaders);
        _headersSent = true;
        Message(stream, message, end);
    }

    public void Message(int stream, ReadOnlySpan<byte> message, bool end)
    {
        Span<byte> head = stackalloc byte[14];
        FrameHeader(head, message.Length + 5, Data, (byte)(end ? 1 : 0), stream);
        head[9] = 0;
        BinaryPrimitives.WriteInt32BigEndian(head[10..], message.Length);
        Append(head);
        Append(message);
        SendWindow -= message.Length + 5;
    }

    public void Send()
    {
        for (var sent = 0; sent < _outLength;) sent += _socket.Send(_out.AsSpan(sent, _outLength - sent));
        _outLength = 0;
    }

    /// <summary>Waits for input, then hands out every whole frame. False at the end of the connection.</summary>
    public bool Receive(Action<byte, byte, int, ReadOnlySpan<byte>> frame)
    {
        if (_inEnd == _in.Length)
        {
            if (_inStart == 0) Array.Resize(ref _in, _in.Length * 2);
            _in.AsSpan(_inStart, _inEnd - _inStart).CopyTo(_in);
            (_inEnd, _inStart) = (_inEnd - _inStart, 0);
        }

        int read;
        try
        {
            read = _socket.Receive(_in.AsSpan(_inEnd));
        }
        catch (SocketException)
        {
            return false;
        }

        if (read == 0) return false;
        _inEnd += read;
        while (_inEnd - _inStart >= 9)
        {
            var at = _in.AsSpan(_inStart);
            var length = (at[0] << 16) | (at[1] << 8) | at[2];
            if (_inEnd - _inStart < 9 + length) break;
            Own(at[3], at[4], BinaryPrimitives.ReadInt32BigEndian(at[5..]), at.Slice(9, length));
            frame(at[3], at[4], BinaryPrimitives.ReadInt32BigEndian(at[5..]), at.Slice(9, length));
            _inStart += 9 + length;
        }

        if (_inStart == _inEnd) _inStart = _inEnd = 0;
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private void Own(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case Data:
                _consumed += payload.Length;
                if (_consumed < 1 << 27) return;
                Span<byte> more = stackalloc byte[4];
                BinaryPrimitives.WriteInt32BigEndian(more, (int)_consumed);
                Frame(WindowUpdate, 0, 0, more);
                // A long stream is the only one of its connection: what came was its own.
                if ((flags & 1) == 0) Frame(WindowUpdate, 0, stream, more);
                _consumed = 0;
                return;
            case Settings when (flags & 1) == 0:
                Frame(Settings, 1, 0, []);
                return;
            case Ping when (flags & 1) == 0:
                Frame(Ping, 1, 0, payload);
                return;
            case WindowUpdate:
                // Streams' own windows are never the narrow ones here: a message each.
                SendWindow += BinaryPrimitives.ReadInt32BigEndian(payload);
                return;
            case GoAway or ResetStream:
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"the server ended it: frame {type}, {Encoding.ASCII.GetString(payload)}"));
        }
    }

    private void Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[9];
        FrameHeader(head, payload.Length, type, flags, stream);
        Append(head);
        Append(payload);
    }

    private static void FrameHeader(Span<byte> to, int length, byte type, byte flags, int stream)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, ((uint)length << 8) | type);
        to[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(to[5..], stream);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_outLength + bytes.Length > _out.Length) Array.Resize(ref _out, Math.Max(_out.Length * 2, _outLength + bytes.Length));
        bytes.CopyTo(_out.AsSpan(_outLength));
        _outLength += bytes.Length;
    }
}
