using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Mesh.Api;
using Mesh.Api.Meta.V1;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Gateway.Streaming;

/// <summary>
/// Passes one HTTP exchange on over a fresh HTTP/1.1 connection: the request's head rewritten, bodies streamed as they come, and when
/// the other side answers 101, bytes both ways until one side ends. Nothing is buffered whole.
/// </summary>
internal static class HttpRelay
{
    private const int MaxHead = 64 * 1024;

    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Authorization", "Content-Length",
    };

    /// <summary>Relays the request of http to the stream. With refusal, an answer that is none of success becomes the Status it makes of code and text.</summary>
    /// <exception cref="ApiException">The other side is silent, speaks no HTTP, or refused.</exception>
    public static async Task RunAsync(HttpContext http, Stream stream, Upstream upstream, string target, Func<int, string, Status>? refusal, CancellationToken ct)
    {
        var upgrade = http.Request.Headers.Upgrade.ToString();
        var upgradeFeature = http.Features.Get<IHttpUpgradeFeature>();
        var isUpgrade = upgrade.Length > 0 && upgradeFeature?.IsUpgradableRequest == true;
        await SendHeadAsync(http.Request, stream, upstream, target, isUpgrade ? upgrade : null, ct);
        var sending = isUpgrade ? Task.CompletedTask : SendBodyAsync(http.Request, stream, ct);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            var head = await ReadHeadAsync(reader, ct);
            if (refusal is not null && head.Code is < 101 or > 206) throw new ApiException(refusal(head.Code, await TextAsync(head, reader, ct)));
            if (head.Code == 101 && isUpgrade) await TunnelAsync(http, upgradeFeature!, head, reader, stream, ct);
            else await AnswerAsync(http, head, reader, ct);
            await sending;
        }
        catch (Exception e) when (e is IOException or FormatException && !http.Response.HasStarted)
        {
            throw new ApiException(Statuses.ServiceUnavailable($"error proxying to {upstream.Host}:{upstream.Port}: {e.Message}"), e);
        }
        catch (IOException)
        {
            // One side went away in the middle of a stream: the other is told by the end.
            http.Abort();
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static async Task SendHeadAsync(HttpRequest request, Stream stream, Upstream upstream, string target, string? upgrade, CancellationToken ct)
    {
        var head = new StringBuilder(512);
        head.Append(request.Method).Append(' ').Append(target).Append(" HTTP/1.1\r\nHost: ").Append(upstream.Host).Append(':').Append(upstream.Port).Append("\r\n");
        foreach (var (name, values) in request.Headers)
        {
            if (HopByHop.Contains(name) || name.StartsWith(':') || name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)) continue;
            foreach (var value in values) head.Append(name).Append(": ").Append(Clean(value)).Append("\r\n");
        }

        if (upgrade is not null) head.Append("Connection: Upgrade\r\nUpgrade: ").Append(Clean(upgrade)).Append("\r\n");
        else if (request.ContentLength is { } length) head.Append("Connection: close\r\nContent-Length: ").Append(length).Append("\r\n");
        else if (HasBody(request)) head.Append("Connection: close\r\nTransfer-Encoding: chunked\r\n");
        else head.Append("Connection: close\r\n");
        head.Append("\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()), ct);
        await stream.FlushAsync(ct);
    }

    private static bool HasBody(HttpRequest request) => request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    private static async Task SendBodyAsync(HttpRequest request, Stream stream, CancellationToken ct)
    {
        var chunked = request.ContentLength is null && HasBody(request);
        if (!chunked && request.ContentLength is null or 0) return;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            for (int read; (read = await request.Body.ReadAsync(buffer, ct)) > 0;)
            {
                if (chunked) await stream.WriteAsync(Encoding.ASCII.GetBytes(read.ToString("x", CultureInfo.InvariantCulture) + "\r\n"), ct);
                await stream.WriteAsync(buffer.AsMemory(0, read), ct);
                if (chunked) await stream.WriteAsync("\r\n"u8.ToArray(), ct);
                await stream.FlushAsync(ct);
            }

            if (chunked) await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), ct);
            await stream.FlushAsync(ct);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<AnswerHead> ReadHeadAsync(PipeReader reader, CancellationToken ct)
    {
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            if (AnswerHead.TryParse(read.Buffer, out var head, out var end))
            {
                reader.AdvanceTo(end);
                if (head.Code is >= 100 and < 200 and not 101) continue;
                return head;
            }

            if (read.Buffer.Length > MaxHead) throw new FormatException("the answer's head is too long");
            if (read.IsCompleted) throw new IOException("the connection closed before an answer");
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>The text of a refusal, cut at a length nobody reads further.</summary>
    private static async Task<string> TextAsync(AnswerHead head, PipeReader reader, CancellationToken ct)
    {
        using var text = new MemoryStream();
        var writer = PipeWriter.Create(text, new StreamPipeWriterOptions(leaveOpen: true));
        if (head.IsChunked) await ChunkedBody.CopyAsync(reader, writer, ct);
        else await CopyAsync(reader, writer, Math.Min(head.Length ?? MaxHead, MaxHead), ct);
        await writer.CompleteAsync();
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)Math.Min(text.Length, MaxHead)).Trim();
    }

    private static async Task AnswerAsync(HttpContext http, AnswerHead head, PipeReader reader, CancellationToken ct)
    {
        http.Response.StatusCode = head.Code;
        foreach (var (name, value) in head.Headers)
        {
            if (!HopByHop.Contains(name)) http.Response.Headers.Append(name, value);
        }

        await http.Response.StartAsync(ct);
        if (HttpMethods.IsHead(http.Request.Method) || head.Code is 204 or 304) return;
        if (head.IsChunked) await ChunkedBody.CopyAsync(reader, http.Response.BodyWriter, ct);
        else await CopyAsync(reader, http.Response.BodyWriter, head.Length ?? long.MaxValue, ct);
    }

    /// <summary>Copies bytes as they come, flushing each time the source pauses: a followed log shows at once.</summary>
    private static async Task CopyAsync(PipeReader from, PipeWriter to, long length, CancellationToken ct)
    {
        while (length > 0)
        {
            var read = await from.ReadAsync(ct);
            var part = read.Buffer.Length > length ? read.Buffer.Slice(0, length) : read.Buffer;
            foreach (var segment in part) to.Write(segment.Span);
            length -= part.Length;
            from.AdvanceTo(part.End);
            var flushed = await to.FlushAsync(ct);
            if (read.IsCompleted || flushed.IsCompleted) return;
        }
    }

    private static async Task TunnelAsync(HttpContext http, IHttpUpgradeFeature feature, AnswerHead head, PipeReader reader, Stream stream, CancellationToken ct)
    {
        foreach (var (name, value) in head.Headers)
        {
            if (!HopByHop.Contains(name)) http.Response.Headers.Append(name, value);
        }

        http.Response.Headers.Connection = "Upgrade";
        http.Response.Headers.Upgrade = head.Headers.FirstOrDefault(static h => h.Key.Equals("Upgrade", StringComparison.OrdinalIgnoreCase)).Value;
        await using var client = await feature.UpgradeAsync();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var up = PumpAsync(client, stream, ended.Token);
        var down = PumpAsync(reader.AsStream(leaveOpen: true), client, ended.Token);
        // When the agent is done the exchange is over; when the client is done sending, the agent may still answer and ends it then.
        await Task.WhenAny(up, down);
        if (!down.IsCompleted)
        {
            ended.CancelAfter(TimeSpan.FromSeconds(5));
            await down;
        }

        await ended.CancelAsync();
        await up;
    }

    private static async Task PumpAsync(Stream from, Stream to, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(32 * 1024);
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, ct)) > 0;)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), ct);
                await to.FlushAsync(ct);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A side is gone: that ends the tunnel.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string Clean(string? value) => value is null ? "" : value.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
}
