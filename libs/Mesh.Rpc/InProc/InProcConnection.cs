using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Mesh.Rpc;

/// <summary>
/// The server's end of an in-process connection: two pipes, one each way. The reader's continuations run on the thread pool, never
/// inside the writer's call, so that neither side runs the other's code under its locks.
/// </summary>
internal sealed class InProcConnection : DefaultConnectionContext, ITlsConnectionFeature, ITlsApplicationProtocolFeature
{
    private static readonly PipeOptions s_pipe = new(
        pauseWriterThreshold: 1024 * 1024, resumeWriterThreshold: 512 * 1024, minimumSegmentSize: 16 * 1024, useSynchronizationContext: false);

    private readonly IDuplexPipe _transport;
    private readonly CancellationTokenSource _closed = new();

    private InProcConnection(string id, IDuplexPipe transport, string name, X509Certificate2? clientCertificate)
        : base(id)
    {
        _transport = transport;
        Transport = transport;
        ConnectionClosed = _closed.Token;
        LocalEndPoint = new InProcEndPoint(name);
        RemoteEndPoint = new InProcEndPoint(id);
        ClientCertificate = clientCertificate;
        // Only a connection with a certificate claims to be TLS: the certificate is what the server asks it for.
        if (clientCertificate is null) return;
        Features.Set<ITlsConnectionFeature>(this);
        Features.Set<ITlsApplicationProtocolFeature>(this);
    }

    public X509Certificate2? ClientCertificate { get; set; }

    /// <summary>What TLS would have negotiated: in-process clients speak HTTP/2.</summary>
    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = "h2"u8.ToArray();

    public static (Stream Client, InProcConnection Server) CreatePair(string id, string name, X509Certificate2? clientCertificate)
    {
        var toServer = new Pipe(s_pipe);
        var toClient = new Pipe(s_pipe);
        var server = new InProcConnection(id, new Duplex(toServer.Reader, toClient.Writer), name, clientCertificate);
        return (new DuplexPipeStream(toClient.Reader, toServer.Writer, server.OnClientClosed), server);
    }

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    public override void Abort(ConnectionAbortedException abortReason)
    {
        _transport.Input.CancelPendingRead();
        _transport.Output.CancelPendingFlush();
        OnClientClosed();
    }

    public override async ValueTask DisposeAsync()
    {
        // A client in the middle of a read sees the end of the stream, one that writes is told that nobody reads.
        await _transport.Output.CompleteAsync();
        await _transport.Input.CompleteAsync();
        OnClientClosed();
        await base.DisposeAsync();
    }

    private void OnClientClosed()
    {
        if (!_closed.IsCancellationRequested) ThreadPool.UnsafeQueueUserWorkItem(static closed => closed.Cancel(), _closed, preferLocal: false);
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
