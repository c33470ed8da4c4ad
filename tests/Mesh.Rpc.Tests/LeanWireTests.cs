using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Mesh.Rpc.Lean;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

/// <summary>The lean server below gRPC: header compression by the RFC's own examples, windows, and peers that break the protocol.</summary>
public sealed class LeanWireTests
{
    /// <summary>RFC 7541, C.4: three requests on one connection, Huffman-coded, the table growing.</summary>
    [Fact]
    public void Header_blocks_decode_as_the_rfc_shows()
    {
        var decoder = new HpackDecoder();
        Assert.Equal("GET http / www.example.com", Decode("828684418cf1e3c2e5f23a6ba0ab90f4ff"));
        Assert.Equal("GET http / www.example.com no-cache", Decode("828684be5886a8eb10649cbf"));
        Assert.Equal("GET https /index.html www.example.com custom-value", Decode("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"));
        Assert.Equal("Mon, 21 Oct 2013 20:13:21 GMT", HuffmanCode.Decode(Convert.FromHexString("d07abe941054d444a8200595040b8166e082a62d1bff")));
        Assert.Equal("foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
            HuffmanCode.Decode(Convert.FromHexString("94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")));
        Assert.Null(HuffmanCode.Decode([0xff, 0xff, 0xff, 0xff]));

        string Decode(string hex)
        {
            var fields = new List<(string Name, string Value)>();
            decoder.Decode(Convert.FromHexString(hex), fields);
            return string.Join(' ', fields.Select(f => f.Value));
        }
    }

    [Theory]
    [InlineData("ff")]                 // an index of nothing
    [InlineData("80")]                 // index 0
    [InlineData("be")]                 // beyond the table
    [InlineData("418cf1e3")]           // a string that ends early
    [InlineData("3fffffffffff7f")]     // a table of more than was allowed
    public void Malformed_header_blocks_end_the_connection(string hex) =>
        Assert.Equal(Http2Error.Compression, Assert.Throws<Http2Exception>(() => new HpackDecoder().Decode(Convert.FromHexString(hex), [])).Error);

    [Fact]
    public async Task Any_bytes_are_refused_or_served_and_nobody_else_notices()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Http, lean: true);
        using var channel = server.Connect();
        var random = new Random(5);
        for (var round = 0; round < 60; round++)
        {
            using var peer = await ConnectAsync(server);
            var bytes = new byte[random.Next(2000)];
            random.NextBytes(bytes);
            // Half of them look like frames: types and flags by chance, lengths that fit.
            for (var at = 0; round % 2 == 0 && at + 9 < bytes.Length;)
            {
                var length = random.Next(0, 60);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), (length << 8) | random.Next(12));
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at + 5), random.Next(6));
                at += 9 + length;
            }

            try
            {
                await peer.SendAsync(bytes);
                peer.Shutdown(SocketShutdown.Send);
                var buffer = new byte[4096];
                while (await peer.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(TimeSpan.FromSeconds(60)) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // closed in our face: fine
            }

            Assert.Equal(round, (await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Number = round })).Number);
        }
    }

    [Fact]
    public async Task A_reply_waits_for_the_peers_windows()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Http, lean: true);
        using var peer = await ConnectAsync(server);
        var message = new EchoRequest { Payload = ByteString.CopyFrom(new byte[50_000]) }.ToByteArray();
        // Streams begin with a window of 1,000 bytes.
        await peer.SendAsync((byte[])[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 3, 0xe8]);
        byte[] headers = [0x83, 0x86, 0x44, .. Text("/mesh.test.EchoService/Unary"), 0x41, .. Text("x"), 0x5f, .. Text("application/grpc")];
        await peer.SendAsync((byte[])[.. Frame(1, 0x4, headers), .. Frame(0, 0, [0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length]), .. Chunks(message)]);
        int received = 0, grants = 0;
        var ended = false;
        var buffer = new byte[1 << 16];
        var filled = 0;
        while (!ended)
        {
            filled += await peer.ReceiveAsync(buffer.AsMemory(filled)).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            var at = 0;
            while (filled - at >= 9 && filled - at >= 9 + Length(at))
            {
                var (type, flags) = (buffer[at + 3], buffer[at + 4]);
                if (type == 0) received += Length(at);
                ended |= type == 1 && (flags & 1) != 0;
                at += 9 + Length(at);
            }

            buffer.AsSpan(at, filled - at).CopyTo(buffer);
            filled -= at;
            Assert.True(received <= 1000 * (grants + 1), $"{received} bytes where {1000 * (grants + 1)} were allowed");
            if (received < 1000 * (grants + 1)) continue;
            grants++;
            await peer.SendAsync(Frame(8, 0, [0, 0, 3, 0xe8]));
        }

        Assert.Equal(message.Length + 5, received);

        int Length(int at) => (buffer[at] << 16) | (buffer[at + 1] << 8) | buffer[at + 2];
        static byte[] Text(string value) => [(byte)value.Length, .. System.Text.Encoding.ASCII.GetBytes(value)];
        static byte[] Frame(byte type, byte flags, byte[] payload) => [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, 1, .. payload];
        static byte[] Chunks(byte[] message) => [.. message.Chunk(16_000).SelectMany((c, i) => Frame(0, (byte)(i == message.Length / 16_000 ? 1 : 0), c))];
    }

    private static async Task<Socket> ConnectAsync(EchoServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        await socket.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        return socket;
    }
}
