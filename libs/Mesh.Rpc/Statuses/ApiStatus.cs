using System.Text.Json;
using Grpc.Core;
using Mesh.Api;
using KubeStatus = Mesh.Api.Meta.V1.Status;

namespace Mesh.Rpc;

/// <summary>Kubernetes refusals across gRPC: what a server throws as <see cref="ApiException"/>, a client catches as the same.</summary>
public static class ApiStatus
{
    /// <summary>The exception that ends a call with this Status. Servers with <see cref="MeshRpcServer.AddMeshRpc"/> need not call it: throwing <see cref="ApiException"/> does.</summary>
    public static RpcException ToRpcException(this ApiException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var status = exception.Status;
        return RpcStatus.Create(exception.Code, status.Reason, status.Message ?? "", KubeJson.Serialize(status));
    }

    /// <summary>
    /// The Kubernetes Status of a failed call: the one it carries, or for a transport failure or a foreign server the nearest to its gRPC code.
    /// </summary>
    public static ApiException ToApiException(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (RpcStatus.FindKubernetesStatus(exception) is { } json)
        {
            try
            {
                return new ApiException(KubeJson.Deserialize<KubeStatus>(json), exception);
            }
            catch (JsonException)
            {
                // Details that claim to be a Status and are none: the gRPC status is still the truth.
            }
        }
        var (code, reason) = RpcStatus.ToKubernetes(exception.StatusCode);
        return new ApiException(
            new KubeStatus { StatusValue = "Failure", Code = code, Reason = reason.Length > 0 ? reason : null, Message = exception.Status.Detail }, exception);
    }
}
