using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Log messages of the client library.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Queue}: {Key} changed meanwhile, again: {Reason}")]
    internal static partial void ReconcileConflict(ILogger logger, string queue, string key, string reason);

    [LoggerMessage(2, LogLevel.Information, "{Queue}: {Key} refused, retrying: {Reason}")]
    internal static partial void ReconcileRefused(ILogger logger, string queue, string key, string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Queue}: {Key} failed, retrying")]
    internal static partial void ReconcileFailed(ILogger logger, Exception error, string queue, string key);

    [LoggerMessage(4, LogLevel.Information, "Watch of {Resource} broke, again in {Delay}: {Reason}")]
    internal static partial void WatchBroke(ILogger logger, string resource, TimeSpan delay, string reason);

    [LoggerMessage(5, LogLevel.Debug, "Watch of {Resource} fell behind revision {Revision}, listing again")]
    internal static partial void WatchExpired(ILogger logger, string resource, string revision);

    [LoggerMessage(6, LogLevel.Error, "A handler of {Resource} failed")]
    internal static partial void HandlerFailed(ILogger logger, Exception error, string resource);

    [LoggerMessage(7, LogLevel.Debug, "{Resource}: {Count} objects in the cache at revision {Revision}")]
    internal static partial void CacheSynced(ILogger logger, string resource, int count, string revision);

    [LoggerMessage(8, LogLevel.Information, "Event {Reason} of {Namespace}/{Name} not written: {Why}")]
    internal static partial void EventDropped(ILogger logger, string reason, string @namespace, string name, string why);

    [LoggerMessage(9, LogLevel.Information, "{Identity} leads {Lease}")]
    internal static partial void Leading(ILogger logger, string identity, string lease);

    [LoggerMessage(10, LogLevel.Warning, "{Identity} no longer leads {Lease}")]
    internal static partial void LeadLost(ILogger logger, string identity, string lease);

    [LoggerMessage(11, LogLevel.Information, "Lease {Lease} not renewed: {Reason}")]
    internal static partial void LeaseFailed(ILogger logger, string lease, string reason);

    [LoggerMessage(12, LogLevel.Debug, "{Lease} is held by {Holder}")]
    internal static partial void LeaseHeld(ILogger logger, string lease, string holder);
}
