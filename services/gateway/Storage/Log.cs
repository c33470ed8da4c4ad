using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Storage;

/// <summary>What storage says.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "watch cache of {Resource} lost its feed, resuming: {Reason}")]
    public static partial void FeedLost(ILogger logger, string resource, string reason);

    [LoggerMessage(2, LogLevel.Debug, "progress of {Resource} not asked: stream ended")]
    public static partial void ProgressNotAsked(ILogger logger, string resource, Exception e);

    [LoggerMessage(3, LogLevel.Error, "object {Key} in the store is not readable and is not served")]
    public static partial void Unreadable(ILogger logger, string key, Exception e);
}
