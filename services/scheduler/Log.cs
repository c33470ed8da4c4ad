using Microsoft.Extensions.Logging;

namespace Mesh.Scheduler;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Placement engine: {Engine}")]
    public static partial void Started(ILogger logger, string engine);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The native placement engine cannot be used, the managed one takes its place: {Reason}")]
    public static partial void NoNativeEngine(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event bus is lost, nothing is placed until it is back: {Reason}")]
    public static partial void BusLost(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "This shard owns {Owned} of {Partitions} partitions of the pending pods")]
    public static partial void Owned(ILogger logger, int owned, int partitions);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Placed {Count} pods in {Milliseconds:F1} ms, {Left} do not fit")]
    public static partial void Placed(ILogger logger, int count, double milliseconds, int left);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Binding {Count} pods failed, they are tried again: {Error}")]
    public static partial void BindFailed(ILogger logger, int count, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Pod {Pod} was not bound to {Node}: {Reason}")]
    public static partial void BindRefused(ILogger logger, string pod, string node, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The condition of {Pod} could not be written: {Reason}")]
    public static partial void ConditionFailed(ILogger logger, string pod, string reason);
}
