using System.Buffers.Binary;
using System.Net.Sockets;
using Google.Protobuf;
using Mesh.Rpc.Lean;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

/// <summary>A server's end, frame by frame.</summary>
internal sealed class WirePeer(Socket socket) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    public static async Task<WirePeer> AcceptAsync(Socket listener, int? maxStreams = null, int? window = null, int? tableSize = null)
    {
        var peer = new WirePeer(await listener.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(60)));
        await peer.ReadPrefaceAsync();
        var settings = new List<byte>();
        foreach (var (id, value) in ((int, int?)[])[(Http2.SettingMaxStreams, maxStreams), (Http2.SettingInitialWindow, window), (Http2.SettingHeaderTableSize, tableSize)])
        {
            if (value is { } number) settings.AddRange([0, (byte)id, (byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]);
        }

        await peer.SendAsync(Http2Frame.Settings, 0, 0, [.. settings]);
        return peer;
    }

    private async Task ReadPrefaceAsync()
    {
        var preface = new byte[24];
        await _stream.ReadExactlyAsync(preface).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(Http2.Preface.SequenceEqual(preface));
    }

    /// <summary>The next frame of a type; others are passed over.</summary>
    public async Task<(byte Flags, int Stream, byte[] Payload)> NextAsync(Http2Frame type)
    {
        while (true)
        {
            var header = new byte[9];
            await _stream.ReadExactlyAsync(header).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            var payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
            await _stream.ReadExactlyAsync(payload).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            if ((Http2Frame)header[3] == type && !(type == Http2Frame.Settings && (header[4] & Http2.Ack) != 0)) return (header[4], BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5)), payload);
        }
    }

    public Task SendAsync(Http2Frame type, byte flags, int stream, byte[] payload)
    {
        var header = new byte[9];
        Http2.WriteFrameHeader(header, payload.Length, type, flags, stream);
        return SendAsync([.. header, .. payload]);
    }

    public Task SendAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask();

    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Headers, the message in two DATA frames, trailers with padding.</summary>
    public async Task AnswerAsync(int stream, EchoReply reply)
    {
        var message = reply.ToByteArray();
        await SendAsync(Http2Frame.Headers, Http2.EndHeaders, stream, [0x88, 0x0f, 0x10, 16, .. "application/grpc"u8]);
        await SendAsync(Http2Frame.Data, 0, stream, [0, 0, 0]);
        await SendAsync(Http2Frame.Data, Http2.Padded, stream, [2, (byte)(message.Length >> 8), (byte)message.Length, .. message, 0, 0]);
        await SendAsync(Http2Frame.Headers, Http2.EndStream, stream, [0x00, 11, .. "grpc-st"u8]);
        await SendAsync(Http2Frame.Continuation, Http2.EndHeaders, stream, [.. "atus"u8, 1, (byte)'0']);
    }

    public void Dispose() => _stream.Dispose();
}
