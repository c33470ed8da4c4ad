using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>
/// One client of the bench: HTTP/1.1 over TLS with nothing between, so that on two cores the time measured is the servers' and not the load generator's.
/// One request at a time.
/// </summary>
internal sealed class HttpWire : IAsyncDisposable
{
    private readonly SslStream _stream;
    private readonly ArrayBufferWriter<byte> _out = new(4096);
    private byte[] _in = new byte[64 * 1024];
    private int _start, _end;

    private HttpWire(SslStream stream) => _stream = stream;

    public static async Task<HttpWire> ConnectAsync(ApiTarget server, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Port), ct);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                ClientCertificateContext = SslStreamCertificateContext.Create(server.Client, null, offline: true),
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { server.Authority }, RevocationMode = X509RevocationMode.NoCheck },
            },
            ct);
        return new HttpWire(stream);
    }

    /// <summary>Sends a request and reads the whole answer; the body is valid until the next call.</summary>
    public async Task<(int Status, ReadOnlyMemory<byte> Body)> SendAsync(string method, string path, ReadOnlyMemory<byte> body, CancellationToken ct, string contentType = "application/json")
    {
        await WriteAsync(method, path, body, contentType, ct);
        var (status, length) = await ReadHeadAsync(ct);
        if (length >= 0)
        {
            await FillAsync(length, ct);
            var whole = _in.AsMemory(_start, length);
            _start += length;
            return (status, whole);
        }

        var chunks = new ArrayBufferWriter<byte>();
        while (await ReadChunkAsync(ct) is { Length: > 0 } chunk) chunks.Write(chunk.Span);
        return (status, chunks.WrittenMemory);
    }

    /// <summary>Begins a watch: the status is read, the body follows by <see cref="ReadChunkAsync"/>.</summary>
    public async Task<int> BeginAsync(string path, CancellationToken ct)
    {
        await WriteAsync("GET", path, default, "", ct);
        return (await ReadHeadAsync(ct)).Status;
    }

    /// <summary>Reads an answer in an encoding and keeps nothing of it.</summary>
    public async Task<(int Status, long Bytes)> DrainAsync(string path, string accept, bool gzip, CancellationToken ct)
    {
        await WriteAsync("GET", path, default, "", ct, accept, gzip);
        var (status, length) = await ReadHeadAsync(ct);
        var bytes = 0L;
        if (length < 0)
        {
            while (await ReadChunkAsync(ct) is { Length: > 0 } chunk) bytes += chunk.Length;
            return (status, bytes);
        }

        for (int part; bytes < length; bytes += part)
        {
            part = (int)Math.Min(length - bytes, 16 * 1024);
            await FillAsync(part, ct);
            _start += part;
        }

        return (status, bytes);
    }

    /// <summary>The next chunk of the body; empty at its end.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadChunkAsync(CancellationToken ct)
    {
        int line;
        while ((line = _in.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0) await MoreAsync(ct);
        if (!Utf8Parser.TryParse(_in.AsSpan(_start, line), out int size, out _, 'x')) throw new IOException("bad chunk");
        _start += line + 2;
        await FillAsync(size + 2, ct);
        var chunk = _in.AsMemory(_start, size);
        _start += size + 2;
        return chunk;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task WriteAsync(string method, string path, ReadOnlyMemory<byte> body, string contentType, CancellationToken ct, string accept = "application/json", bool gzip = false)
    {
        _out.ResetWrittenCount();
        Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n{(gzip ? "Accept-Encoding: gzip\r\n" : "")}", _out);
        if (!body.IsEmpty) Encoding.ASCII.GetBytes($"Content-Type: {contentType}\r\nContent-Length: {body.Length}\r\n", _out);
        _out.Write("\r\n"u8);
        _out.Write(body.Span);
        await _stream.WriteAsync(_out.WrittenMemory, ct);
    }

    private async Task<(int Status, int Length)> ReadHeadAsync(CancellationToken ct)
    {
        int end;
        while ((end = _in.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0) await MoreAsync(ct);
        var head = Encoding.ASCII.GetString(_in.AsSpan(_start, end));
        _start += end + 4;
        var status = int.Parse(head.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        const string Name = "content-length: ";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return (status, -1);
        var digits = head.AsSpan(at + Name.Length);
        var stop = digits.IndexOf('\r');
        return (status, int.Parse(stop < 0 ? digits : digits[..stop], System.Globalization.CultureInfo.InvariantCulture));
    }

    private async Task FillAsync(int count, CancellationToken ct)
    {
        while (_end - _start < count) await MoreAsync(ct, count);
    }

    private async Task MoreAsync(CancellationToken ct, int wanted = 0)
    {
        if (_start > 0)
        {
            _in.AsSpan(_start, _end - _start).CopyTo(_in);
            (_start, _end) = (0, _end - _start);
        }

        var room = Math.Max(wanted, _end + 1);
        if (_in.Length < room) Array.Resize(ref _in, Math.Max(room, _in.Length * 2));
        var read = await _stream.ReadAsync(_in.AsMemory(_end), ct);
        if (read == 0) throw new IOException("the gateway closed the connection");
        _end += read;
    }
}
