using System.Net;
using System.Net.Sockets;

namespace Mesh.Dns.Forwarding;

/// <summary>Asks the resolvers of the node, as they are: packets go out and come back unchanged but for the id.</summary>
internal interface IUpstream
{
    /// <summary>The answer to a raw query, or null when no resolver answered in time.</summary>
    ValueTask<byte[]?> AskAsync(ReadOnlyMemory<byte> query, bool tcp, CancellationToken ct);
}

/// <summary>Tries the resolvers in order, two seconds each; TCP when the client came by TCP.</summary>
internal sealed class Upstream(IReadOnlyList<IPEndPoint> resolvers, TimeProvider time) : IUpstream
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>The nameservers of a resolv.conf, without the addresses the server itself listens on (else it would ask itself).</summary>
    public static IReadOnlyList<IPEndPoint> FromResolvConf(string path, IReadOnlyCollection<IPEndPoint> self)
    {
        if (!File.Exists(path))
            return [];
        return [.. File.ReadLines(path)
            .Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length >= 2 && words[0] == "nameserver")
            .Select(words => IPAddress.TryParse(words[1], out var ip) ? new IPEndPoint(ip, 53) : null)
            .OfType<IPEndPoint>()
            .Where(server => !self.Contains(server))];
    }

    public async ValueTask<byte[]?> AskAsync(ReadOnlyMemory<byte> query, bool tcp, CancellationToken ct)
    {
        foreach (var resolver in resolvers)
        {
            using var limit = new CancellationTokenSource(Timeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
            try
            {
                return tcp ? await AskTcpAsync(resolver, query, both.Token) : await AskUdpAsync(resolver, query, both.Token);
            }
            catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
                // The next resolver is asked.
            }
        }

        return null;
    }

    private static async ValueTask<byte[]> AskUdpAsync(IPEndPoint resolver, ReadOnlyMemory<byte> query, CancellationToken ct)
    {
        // A fresh, connected socket a question: a random source port, and answers of others are not even seen (RFC 5452).
        using var socket = new Socket(resolver.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(resolver, ct);
        await socket.SendAsync(query, ct);
        var buffer = new byte[4096];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, ct);
            if (length >= 12 && buffer.AsSpan(0, 2).SequenceEqual(query.Span[..2]))
                return buffer[..length];
        }
    }

    private static async ValueTask<byte[]> AskTcpAsync(IPEndPoint resolver, ReadOnlyMemory<byte> query, CancellationToken ct)
    {
        using var socket = new Socket(resolver.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(resolver, ct);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(new byte[] { (byte)(query.Length >> 8), (byte)query.Length }, ct);
        await stream.WriteAsync(query, ct);
        var header = new byte[2];
        await stream.ReadExactlyAsync(header, ct);
        var answer = new byte[(header[0] << 8) | header[1]];
        await stream.ReadExactlyAsync(answer, ct);
        return answer;
    }
}
