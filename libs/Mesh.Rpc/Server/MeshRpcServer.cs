using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Rpc;

/// <summary>gRPC services with Mesh's defaults.</summary>
public static class MeshRpcServer
{
    /// <summary>Largest message a server takes, in bytes.</summary>
    public const int DefaultMaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>Adds gRPC: messages up to <see cref="DefaultMaxMessageBytes"/>, failures carry their Kubernetes Status (see <see cref="RpcStatus"/>).</summary>
    public static IGrpcServerBuilder AddMeshRpc(this IServiceCollection services, Action<GrpcServiceOptions>? configure = null) =>
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = DefaultMaxMessageBytes;
            options.MaxSendMessageSize = null;
            options.EnableDetailedErrors = false;
            options.Interceptors.Add<StatusInterceptor>();
            configure?.Invoke(options);
        });
}
