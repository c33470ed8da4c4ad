using Grpc.Core;
using Mesh.Rpc;

namespace Mesh.Gateway.Storage;

/// <summary>One member of the store: a connection for the many short calls (reads and writes of keys), and one for watches and what is rare.</summary>
internal sealed record EtcdEndpoint(LeanChannel Calls, CallInvoker Streams)
{
    /// <summary>Connects on first use.</summary>
    public static EtcdEndpoint At(string address, MeshChannelOptions options) => new(LeanChannel.Create(address, options), MeshChannel.Create(address, options).CreateCallInvoker());
}
