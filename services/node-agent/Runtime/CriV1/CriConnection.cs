using System.Net.Sockets;
using Grpc.Net.Client;
using Mesh.NodeAgent.Metrics;

namespace Mesh.NodeAgent.Runtime.CriV1;

/// <summary>A gRPC channel to a runtime's unix socket.</summary>
internal sealed class CriConnection : IDisposable
{
    private const int MaxMessageBytes = 16 * 1024 * 1024;
    private readonly GrpcChannel channel;

    public CriConnection(string socketPath, RuntimeOperations? operations = null)
    {
        SocketPath = socketPath;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), ct);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        };
        channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
        });
        var calls = operations is null ? channel.CreateCallInvoker() : operations.Observe(channel);
        Runtime = new Cri.RuntimeService.RuntimeServiceClient(calls);
        Images = new Cri.ImageService.ImageServiceClient(calls);
        Events = new ContainerdApi.Events.EventsClient(channel);
    }

    public string SocketPath { get; }

    public Cri.RuntimeService.RuntimeServiceClient Runtime { get; }

    public Cri.ImageService.ImageServiceClient Images { get; }

    public ContainerdApi.Events.EventsClient Events { get; }

    public void Dispose() => channel.Dispose();
}
