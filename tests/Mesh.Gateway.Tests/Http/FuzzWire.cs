using System.Net.Sockets;
using System.Text;

namespace Mesh.Gateway.Tests.Http;

/// <summary>
/// One HTTP/1.1 connection that sends bytes nobody else would, one request after the other, and looks at no more of the answers than it must: where each ends. A
/// connection that is closed, or whose answer has no end that can be told (a watch, an answer to what was not one request), is opened anew for the next.
/// </summary>
internal sealed class FuzzWire(Uri server, string common) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly byte[] buffer = new byte[64 * 1024];
    private TcpClient? client;
    private int filled;

    /// <summary>Sends a request and gives the status; 599 for the 500 without a reason that Kubernetes itself answers to patches it has no class for.</summary>
    public async Task<int> SendAsync(string line, string headers, byte[] body)
    {
        var head = Encoding.Latin1.GetBytes($"{line}\r\nHost: x\r\n{common}{headers}{(body.Length > 0 ? $"Content-Length: {body.Length}\r\n" : "")}\r\n");
        // What the server closed while nobody looked is no answer: the same request, once more, on a connection of its own.
        var used = client is not null;
        var status = await ExchangeAsync([.. head, .. body]);
        if (status == 0 && used) status = await ExchangeAsync([.. head, .. body]);
        Assert.True(status > 0, $"no answer to {line}\n{headers}");
        return status;
    }

    public void Dispose() => Close();

    private async Task<int> ExchangeAsync(byte[] request)
    {
        using var limit = new CancellationTokenSource(Patience);
        if (client is null)
        {
            client = new TcpClient { NoDelay = true };
            await client.ConnectAsync(server.Host, server.Port, limit.Token);
        }

        var stream = client.GetStream();
        filled = 0;
        try
        {
            await stream.WriteAsync(request, limit.Token);
        }
        catch (IOException)
        {
            // It may answer, and close, before it has read all of a body that it does not want.
        }

        try
        {
            return await AnswerAsync(stream, limit.Token);
        }
        catch (IOException)
        {
            Close();
            return 0;
        }
    }

    private async Task<int> AnswerAsync(NetworkStream stream, CancellationToken ct)
    {
        int end;
        while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            if (await FillAsync(stream, ct)) continue;
            Close();
            return 0;
        }

        var head = Encoding.Latin1.GetString(buffer, 0, end + 2);
        var status = int.Parse(head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        var length = Field(head, "Content-Length") is { } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : -1;
        // An answer without a length is left, with the connection.
        var total = length >= 0 ? end + 4 + length : -1;
        while (filled < total && await FillAsync(stream, ct))
        {
        }

        if (status == 500 && IsUnclassified(Encoding.UTF8.GetString(buffer, 0, filled))) status = 599;
        // More than one answer: the damage had made two requests of one.
        if (filled != total || Field(head, "Connection") is "close") Close();
        return status;
    }

    // Our own faults have the reason InternalError.
    private static bool IsUnclassified(string answer) =>
        answer.Replace("\": ", "\":", StringComparison.Ordinal).Contains("\"code\":500", StringComparison.Ordinal) && !answer.Contains("\"reason\":", StringComparison.Ordinal);

    private static string? Field(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        at += name.Length + 4;
        return head[at..head.IndexOf('\r', at)];
    }

    private async ValueTask<bool> FillAsync(NetworkStream stream, CancellationToken ct)
    {
        if (filled == buffer.Length) return false;
        var read = await stream.ReadAsync(buffer.AsMemory(filled), ct);
        filled += read;
        return read > 0;
    }

    private void Close()
    {
        client?.Dispose();
        client = null;
    }
}
