using System.Buffers.Binary;

namespace Mesh.Rpc.Lean;

/// <summary>Types of frames (RFC 9113, section 6).</summary>
internal enum Http2Frame : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}

/// <summary>Error codes (RFC 9113, section 7).</summary>
internal enum Http2Error
{
    None = 0,
    Protocol = 1,
    Internal = 2,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Cancel = 8,
    Compression = 9,
    EnhanceYourCalm = 11,
}

/// <summary>The peer broke the protocol: the connection ends with GOAWAY and this code.</summary>
internal sealed class Http2Exception(Http2Error error, string message) : Exception(message)
{
    public Http2Error Error => error;
}

/// <summary>Numbers and small pieces of the wire.</summary>
internal static class Http2
{
    public const int FrameHeaderSize = 9;
    public const int DefaultWindow = 65_535;
    public const int DefaultFrameSize = 16_384;

    /// <summary>Largest frame that we take (SETTINGS_MAX_FRAME_SIZE).</summary>
    public const int MaxFrameSize = 64 * 1024;

    /// <summary>Bytes that a peer may send ahead on a stream and on a connection.</summary>
    public const int StreamWindow = 1024 * 1024;
    public const int ConnectionWindow = 8 * 1024 * 1024;

    public const byte EndStream = 0x1;
    public const byte Ack = 0x1;
    public const byte EndHeaders = 0x4;
    public const byte Padded = 0x8;
    public const byte HasPriority = 0x20;

    public const int SettingHeaderTableSize = 1;
    public const int SettingEnablePush = 2;
    public const int SettingMaxStreams = 3;
    public const int SettingInitialWindow = 4;
    public const int SettingMaxFrameSize = 5;

    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public static void WriteFrameHeader(Span<byte> to, int length, Http2Frame type, byte flags, int stream)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, ((uint)length << 8) | (byte)type);
        to[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(to[5..], stream);
    }

    public static void WriteSetting(Span<byte> to, int id, int value)
    {
        BinaryPrimitives.WriteInt16BigEndian(to, (short)id);
        BinaryPrimitives.WriteInt32BigEndian(to[2..], value);
    }

    /// <summary>The content of a frame without its padding.</summary>
    public static ReadOnlySpan<byte> Unpad(byte flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & Padded) == 0) return payload;
        if (payload.Length == 0 || payload[0] >= payload.Length) throw new Http2Exception(Http2Error.Protocol, "padding beyond the frame");
        return payload[1..^payload[0]];
    }
}

/// <summary>What a SETTINGS frame says; null: nothing of it.</summary>
internal readonly record struct PeerSettings(int? Window, int? FrameSize, int? TableSize, int? MaxStreams)
{
    /// <summary>Reads a SETTINGS frame's payload.</summary>
    /// <exception cref="Http2Exception">A value is out of its range.</exception>
    public static PeerSettings Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length % 6 != 0) throw new Http2Exception(Http2Error.FrameSize, "SETTINGS");
        int? window = null, frame = null, table = null, streams = null;
        for (; payload.Length > 0; payload = payload[6..])
        {
            var value = BinaryPrimitives.ReadUInt32BigEndian(payload[2..]);
            switch (BinaryPrimitives.ReadUInt16BigEndian(payload))
            {
                case Http2.SettingInitialWindow:
                    window = value <= int.MaxValue ? (int)value : throw new Http2Exception(Http2Error.FlowControl, "SETTINGS_INITIAL_WINDOW_SIZE");
                    break;
                case Http2.SettingMaxFrameSize:
                    frame = value is >= Http2.DefaultFrameSize and <= 0xffffff ? (int)value : throw new Http2Exception(Http2Error.Protocol, "SETTINGS_MAX_FRAME_SIZE");
                    break;
                case Http2.SettingHeaderTableSize:
                    table = (int)Math.Min(value, int.MaxValue);
                    break;
                case Http2.SettingMaxStreams:
                    streams = (int)Math.Min(value, int.MaxValue);
                    break;
            }
        }

        return new PeerSettings(window, frame, table, streams);
    }
}
