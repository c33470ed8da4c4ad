using System.Net;
using Microsoft.Extensions.Logging;

namespace Mesh.Dns;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "serving DNS on {Address}")]
    public static partial void Listening(ILogger logger, IPEndPoint address);

    [LoggerMessage(Level = LogLevel.Error, Message = "a query failed")]
    public static partial void QueryFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the cluster DNS Service is not in place yet: {Reason}")]
    public static partial void ServicePending(ILogger logger, string reason);
}
