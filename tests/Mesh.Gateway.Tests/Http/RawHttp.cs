using System.Net.Sockets;
using System.Text;

namespace Mesh.Gateway.Tests.Http;

/// <summary>One request over a socket of its own, as it is written: no client tidies the path or the headers.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>The head and the body of the answer.</summary>
    public static async Task<(string Head, string Body)> SendAsync(GatewayHost gateway, string line, string headers, byte[] body)
    {
        var address = gateway.Client.BaseAddress!;
        using var limit = new CancellationTokenSource(Deadline);
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port, limit.Token);
        await using var stream = socket.GetStream();
        var head = $"{line}\r\nHost: {address.Authority}\r\nAuthorization: {gateway.Client.DefaultRequestHeaders.Authorization}\r\n{headers}\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head), limit.Token);
        // The answer may come, and the connection go, before all is said.
        var said = SayAsync(stream, body, limit.Token);
        var answer = await HeardAsync(stream, line.StartsWith("HEAD", StringComparison.Ordinal), limit.Token);
        await said;
        return answer;
    }

    private static async Task SayAsync(NetworkStream stream, byte[] body, CancellationToken ct)
    {
        try
        {
            await stream.WriteAsync(body, ct);
        }
        catch (IOException)
        {
            // Nobody listens any longer.
        }
    }

    private static async Task<(string Head, string Body)> HeardAsync(NetworkStream stream, bool hasNoBody, CancellationToken ct)
    {
        var heard = new MemoryStream();
        var buffer = new byte[65536];
        while (true)
        {
            var text = Encoding.UTF8.GetString(heard.GetBuffer(), 0, (int)heard.Length);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is > 0 and var end)
            {
                var (head, body) = (text[..end], text[(end + 4)..]);
                if (hasNoBody || (Length(head) is { } length ? Encoding.UTF8.GetByteCount(body) >= length : body.EndsWith("0\r\n\r\n", StringComparison.Ordinal))) return (head, body);
            }

            var read = await stream.ReadAsync(buffer, ct);
            if (read == 0) throw new InvalidOperationException("the answer ended: " + text);
            heard.Write(buffer, 0, read);
        }
    }

    private static int? Length(string head)
    {
        const string Name = "\r\nContent-Length: ";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : int.Parse(head.AsSpan(at + Name.Length).Slice(0, (head + "\r\n").IndexOf('\r', at + Name.Length) - at - Name.Length), System.Globalization.CultureInfo.InvariantCulture);
    }
}
