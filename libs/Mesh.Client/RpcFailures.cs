using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc;
using Status = Mesh.Api.Meta.V1.Status;

namespace Mesh.Client;

/// <summary>The one place where gRPC failures become <see cref="ApiException"/>: from the Status they carry, or from the gRPC code.</summary>
internal static class RpcFailures
{
    internal static async Task<T> Map<T>(AsyncUnaryCall<T> call, CancellationToken ct)
    {
        using (call) return await Map(call.ResponseAsync, ct).ConfigureAwait(false);
    }

    internal static async Task<T> Map<T>(Task<T> call, CancellationToken ct)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Status.Detail, e, ct);
        }
        catch (RpcException e)
        {
            throw new ApiException(StatusOf(e), e);
        }
    }

    private static Status StatusOf(RpcException e)
    {
        if (RpcStatus.FindKubernetesStatus(e) is { } json) return KubeJson.Deserialize<Status>(json);
        var (code, reason) = RpcStatus.ToKubernetes(e.StatusCode);
        return new Status { StatusValue = "Failure", Code = code, Reason = reason, Message = e.Status.Detail };
    }
}
