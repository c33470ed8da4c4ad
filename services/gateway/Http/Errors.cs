using Grpc.Core;
using Mesh.Api;
using Mesh.Api.Codecs;
using Microsoft.Extensions.Logging;
using Status = Mesh.Api.Meta.V1.Status;

namespace Mesh.Gateway.Http;

/// <summary>The one place where exceptions become Statuses. What is our own fault is logged and shown without its insides.</summary>
internal static partial class Errors
{
    /// <summary>The Status a client gets.</summary>
    public static Status ToStatus(Exception exception, ILogger logger, string path) => exception switch
    {
        ApiException refused => refused.Status,
        DecodeException broken => Statuses.BadRequest(broken.Message),
        RpcException { StatusCode: StatusCode.ResourceExhausted or StatusCode.InvalidArgument } full when full.Status.Detail.Contains("too large", StringComparison.Ordinal) =>
            Statuses.RequestEntityTooLarge(full.Status.Detail),
        RpcException store => Store(store, logger, path),
        OperationCanceledException or TimeoutException => Statuses.Timeout("request did not complete within the allotted timeout", 0),
        Microsoft.AspNetCore.Http.BadHttpRequestException { StatusCode: 413 } large => Statuses.RequestEntityTooLarge(large.Message),
        Microsoft.AspNetCore.Http.BadHttpRequestException bad => Statuses.BadRequest(bad.Message),
        _ => Internal(exception, logger, path),
    };

    private static Status Store(RpcException exception, ILogger logger, string path)
    {
        StoreFailed(logger, path, exception);
        return Statuses.ServiceUnavailable("the store did not answer: " + exception.StatusCode);
    }

    private static Status Internal(Exception exception, ILogger logger, string path)
    {
        Failed(logger, path, exception);
        return Statuses.InternalError("the server could not process the request; its log says why");
    }

    [LoggerMessage(1, LogLevel.Error, "request {Path} failed")]
    private static partial void Failed(ILogger logger, string path, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "store failed request {Path}")]
    private static partial void StoreFailed(ILogger logger, string path, Exception exception);
}
