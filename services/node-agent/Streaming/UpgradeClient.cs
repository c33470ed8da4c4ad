using System.Net.Sockets;
using System.Text;

namespace Mesh.NodeAgent.Streaming;

/// <summary>Opens an upgraded connection to the runtime's streaming server (plain HTTP on this machine).</summary>
internal static class UpgradeClient
{
    private const int MaxHead = 16 * 1024;

    /// <summary>Sends the request with these headers; the answer's head is given back with the connection after it. Throws IOException on anything but 101.</summary>
    public static async Task<(NetworkStream Connection, string Head)> OpenAsync(Uri url, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken ct, string method = "POST")
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(url.Host, url.Port, ct);
            var stream = new NetworkStream(socket, ownsSocket: true);
            var request = new StringBuilder($"{method} {url.PathAndQuery} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Length: 0\r\n");
            foreach (var (name, value) in headers)
                request.Append(name).Append(": ").Append(value).Append("\r\n");
            request.Append("\r\n");
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request.ToString()), ct);
            var head = await ReadHeadAsync(stream, ct);
            if (!head.StartsWith("HTTP/1.1 101", StringComparison.Ordinal))
                throw new IOException($"the runtime's streaming server answered {head.Split('\r')[0]}");
            return (stream, head);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Reads byte by byte up to the blank line: what follows belongs to the upgraded protocol.</summary>
    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken ct)
    {
        var head = new List<byte>(512);
        var one = new byte[1];
        while (head.Count < MaxHead)
        {
            if (await stream.ReadAsync(one, ct) == 0)
                throw new IOException("the runtime's streaming server closed the connection");
            head.Add(one[0]);
            if (head.Count >= 4 && head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n' && head[^4] == '\r')
                return Encoding.ASCII.GetString([.. head]);
        }

        throw new IOException("the runtime's streaming server answered too long a head");
    }
}
