using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Mesh.Rpc;

/// <summary>
/// Kubernetes Status ⇄ gRPC status. A failed call ends with the nearest gRPC code, the Status message as detail, and the whole Status as
/// JSON in <c>grpc-status-details-bin</c> (google.rpc.Status whose Any is typed <c>mesh.v1/Status</c>), so that nothing is lost on the way.
/// </summary>
public static class RpcStatus
{
    /// <summary>The trailer of the error model.</summary>
    public const string DetailsTrailer = "grpc-status-details-bin";

    /// <summary>Type URL of a Kubernetes Status as UTF-8 JSON.</summary>
    public const string StatusTypeUrl = "mesh.v1/Status";

    /// <summary>The exception that ends a call with a Kubernetes Status.</summary>
    /// <param name="httpCode">The Status code (HTTP).</param>
    /// <param name="reason">The Status reason (<c>NotFound</c>), or null.</param>
    /// <param name="message">The Status message.</param>
    /// <param name="statusJson">The Status as UTF-8 JSON.</param>
    public static RpcException Create(int httpCode, string? reason, string message, ReadOnlySpan<byte> statusJson)
    {
        var code = ToGrpcCode(httpCode, reason);
        var details = new Google.Status { Code = (int)code, Message = message };
        details.Details.Add(new Any { TypeUrl = StatusTypeUrl, Value = ByteString.CopyFrom(statusJson) });
        var trailers = new Metadata { { DetailsTrailer, details.ToByteArray() } };
        return new RpcException(new Status(code, message), trailers);
    }

    /// <summary>The Kubernetes Status a failed call carries as UTF-8 JSON; null when it carries none (a transport failure, a foreign server).</summary>
    public static byte[]? FindKubernetesStatus(RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (exception.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes) return null;
        try
        {
            foreach (var detail in Google.Status.Parser.ParseFrom(bytes).Details)
                if (detail.TypeUrl == StatusTypeUrl) return detail.Value.ToByteArray();
        }
        catch (InvalidProtocolBufferException)
        {
            // Someone else's details: the plain gRPC status still tells what happened.
        }
        return null;
    }

    /// <summary>The gRPC code nearest to a Kubernetes Status.</summary>
    public static StatusCode ToGrpcCode(int httpCode, string? reason) => (httpCode, reason) switch
    {
        (400 or 406 or 415 or 422, _) => StatusCode.InvalidArgument,
        (401, _) => StatusCode.Unauthenticated,
        (403, _) => StatusCode.PermissionDenied,
        (404, _) => StatusCode.NotFound,
        (405, _) => StatusCode.Unimplemented,
        (409, "AlreadyExists") => StatusCode.AlreadyExists,
        (409, _) => StatusCode.Aborted,
        (410, _) => StatusCode.OutOfRange,
        (413 or 429, _) => StatusCode.ResourceExhausted,
        (499, _) => StatusCode.Cancelled,
        (503, _) => StatusCode.Unavailable,
        (504, _) => StatusCode.DeadlineExceeded,
        ( >= 500, _) => StatusCode.Internal,
        _ => StatusCode.Unknown,
    };

    /// <summary>The HTTP code and Kubernetes reason for a gRPC code that came without a Status.</summary>
    public static (int HttpCode, string Reason) ToKubernetes(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument => (400, "BadRequest"),
        StatusCode.Unauthenticated => (401, "Unauthorized"),
        StatusCode.PermissionDenied => (403, "Forbidden"),
        StatusCode.NotFound => (404, "NotFound"),
        StatusCode.Unimplemented => (405, "MethodNotAllowed"),
        StatusCode.AlreadyExists => (409, "AlreadyExists"),
        StatusCode.Aborted or StatusCode.FailedPrecondition => (409, "Conflict"),
        StatusCode.OutOfRange => (410, "Expired"),
        StatusCode.ResourceExhausted => (429, "TooManyRequests"),
        StatusCode.Unavailable => (503, "ServiceUnavailable"),
        StatusCode.DeadlineExceeded => (504, "Timeout"),
        StatusCode.Cancelled => (499, ""),
        _ => (500, "InternalError"),
    };

    /// <summary>What a handler's exception becomes; null for bugs, which gRPC logs and answers as Unknown.</summary>
    internal static RpcException? TryToRpc(Exception exception, CancellationToken call) => exception switch
    {
        Api.ApiException api => api.ToRpcException(),
        OperationCanceledException when call.IsCancellationRequested => new RpcException(Status.DefaultCancelled),
        _ => null,
    };
}
