using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Pods;

/// <summary>Logs of pod workers.</summary>
internal static partial class PodLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "status of pod {Pod} was not written: {Reason}")]
    public static partial void StatusFailed(ILogger log, string pod, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "pod {Pod}: {Reason}")]
    public static partial void SyncFailed(ILogger log, string pod, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "pod {Pod}: unexpected")]
    public static partial void SyncCrashed(ILogger log, string pod, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "pod {Pod}: container {Container} started ({Id}, restart {Restart})")]
    public static partial void Started(ILogger log, string pod, string container, string id, int restart);

    [LoggerMessage(Level = LogLevel.Information, Message = "pod {Pod}: stopping {Container} ({Reason}, {Grace} s)")]
    public static partial void Stopping(ILogger log, string pod, string container, string reason, double grace);

    [LoggerMessage(Level = LogLevel.Information, Message = "pod {Pod} is gone after {Milliseconds} ms")]
    public static partial void Ended(ILogger log, string pod, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "cleaning up after pod {Pod}: {Reason}")]
    public static partial void CleanupFailed(ILogger log, string pod, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the runtime has pod {Pod} that the API does not know; ending it")]
    public static partial void Orphan(ILogger log, string pod);

    [LoggerMessage(Level = LogLevel.Warning, Message = "runtime events ended ({Reason}); looking at everything and watching again")]
    public static partial void EventsEnded(ILogger log, string reason);
}
