using System.Text;
using Grpc.Core;
using Mesh.Rpc.Lean;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Mesh.Rpc;

/// <summary>
/// A gRPC server that is only that: HTTP/2 frames straight to handlers, no request objects, one write for all answers that are ready. For services whose
/// calls are so short that the general server is most of their cost (the store). Takes the place of Kestrel's HTTP/2 on a listener
/// (<see cref="MeshListenOptions.Grpc"/>); HTTP/1.1 over TLS stays Kestrel's. Unary handlers begin on the connection's thread and must not block it.
/// </summary>
public sealed class LeanGrpc
{
    private readonly Dictionary<string, LeanMethod> _methods = [];
    private ILogger? _logger;

    /// <summary>Largest message taken, in bytes.</summary>
    public int MaxMessageBytes { get; init; } = MeshRpcServer.DefaultMaxMessageBytes;

    /// <summary>Answers requests that are no gRPC (health checks): path to status, content type and body. Null: 404.</summary>
    public Func<string, string, Task<(int Status, string ContentType, byte[] Body)>>? Plain { get; set; }

    /// <summary>Adds a service: <c>binder => MyService.BindService(binder, instance)</c>. Before the listener starts.</summary>
    public LeanGrpc Add(Action<ServiceBinderBase> bind)
    {
        ArgumentNullException.ThrowIfNull(bind);
        bind(new LeanBinder(_methods));
        return this;
    }

    /// <summary>Where failures of handlers are told.</summary>
    public LeanGrpc LogTo(ILogger logger)
    {
        _logger = logger;
        return this;
    }

    internal LeanMethod? Find(string path) => _methods.GetValueOrDefault(path);

    internal void HandlerFailed(string path, Exception e)
    {
        if (_logger is not null) LeanLog.HandlerFailed(_logger, path, e);
    }

    internal void ConnectionFailed(string peer, Exception e)
    {
        if (_logger is not null) LeanLog.ConnectionFailed(_logger, peer, e.Message);
    }

    /// <summary>Kestrel's connection middleware.</summary>
    internal Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // Over TLS the client chose; without it there is nothing to choose.
        if (connection.Features.Get<ITlsApplicationProtocolFeature>() is { } negotiated && Encoding.ASCII.GetString(negotiated.ApplicationProtocol.Span) != "h2")
            return next(connection);
        return new LeanConnection(this, connection).RunAsync();
    }
}

/// <summary>What the lean server tells.</summary>
internal static partial class LeanLog
{
    [LoggerMessage(LogLevel.Error, "Handler failed")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception e);

    [LoggerMessage(LogLevel.Debug, "Connection ended")]
    public static partial void ConnectionFailed(ILogger logger, string peer, string reason);
}
