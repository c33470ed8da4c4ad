using Grpc.Core;
using Grpc.Net.Client;

namespace Mesh.Rpc;

/// <summary>
/// Makes gRPC channels and HTTP handlers for every address form of <see cref="MeshAddress"/>. A channel multiplexes its calls over one
/// HTTP/2 connection and opens another when the server's stream limit is reached; it connects on first use and again after a loss.
/// </summary>
public static class MeshChannel
{
    /// <summary>A gRPC channel. Dispose it to close its connections.</summary>
    /// <exception cref="FormatException">The address is malformed.</exception>
    public static GrpcChannel Create(string address, MeshChannelOptions? options = null) => Create(MeshAddress.Parse(address), options);

    /// <inheritdoc cref="Create(string, MeshChannelOptions?)"/>
    public static GrpcChannel Create(MeshAddress address, MeshChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new MeshChannelOptions();
        var credentials = address.Scheme == MeshScheme.Https ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure;
        if (options.BearerToken is { } token) credentials = ChannelCredentials.Create(credentials, Bearer(token));
        return GrpcChannel.ForAddress(address.ToHttpUri(), new GrpcChannelOptions
        {
            HttpHandler = CreateHandler(address, options),
            DisposeHttpClient = true,
            Credentials = credentials,
            // Unix sockets and in-process pipes never leave the machine, and plain http was the caller's choice.
            UnsafeUseInsecureChannelCallCredentials = true,
            MaxReceiveMessageSize = options.MaxMessageBytes,
            MaxSendMessageSize = null,
            LoggerFactory = options.LoggerFactory,
        });
    }

    /// <summary>A handler for plain HTTP requests to the address; requests use <see cref="MeshAddress.ToHttpUri"/> as their base.</summary>
    public static SocketsHttpHandler CreateHandler(MeshAddress address, MeshChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new MeshChannelOptions();
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = 1024 * 1024,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            // Idle connections are not pinged: idle means idle.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = options.KeepAliveInterval,
            KeepAlivePingTimeout = options.KeepAliveTimeout,
        };
        switch (address.Scheme)
        {
            case MeshScheme.Https:
                MeshConnector.ConfigureTls(handler.SslOptions, options);
                break;
            case MeshScheme.Unix:
                handler.ConnectCallback = (_, cancellationToken) => MeshConnector.ConnectUnixAsync(address.Host, cancellationToken);
                break;
            case MeshScheme.InProc:
                var network = options.Network
                    ?? throw new ArgumentException($"{address}: in-process addresses need MeshChannelOptions.Network", nameof(options));
                // The pipes never time out and a ping could only find what the closed pipe already says.
                handler.KeepAlivePingDelay = Timeout.InfiniteTimeSpan;
                handler.ConnectCallback = (_, _) => new ValueTask<Stream>(network.Connect(address.Host, options.ClientCertificate?.Invoke()));
                break;
        }
        return handler;
    }

    private static CallCredentials Bearer(Func<CancellationToken, ValueTask<string?>> token) =>
        CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            if (await token(context.CancellationToken) is { Length: > 0 } value) metadata.Add("authorization", "Bearer " + value);
        });
}
