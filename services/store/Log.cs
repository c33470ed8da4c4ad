using Microsoft.Extensions.Logging;

namespace Mesh.Store;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Store opened: {DataDir}, revision {Revision}, {Keys} keys; snapshot at record {Snapshot}, {Replayed} records replayed, {Milliseconds:F0} ms")]
    public static partial void Recovered(ILogger logger, string dataDir, long revision, int keys, ulong snapshot, long replayed, double milliseconds);

    [LoggerMessage(2, LogLevel.Information, "Snapshot {Place} of its chain written at record {Index}, revision {Revision}: {Bytes} bytes, {Milliseconds:F0} ms")]
    public static partial void SnapshotWritten(ILogger logger, int place, ulong index, long revision, long bytes, double milliseconds);

    [LoggerMessage(3, LogLevel.Error, "Snapshot failed; the log keeps growing until one succeeds")]
    public static partial void SnapshotFailed(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Critical, "Write to the log failed: what is on disk is unknown, the store stops and must restart from disk")]
    public static partial void Failed(ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Warning, "Quota exceeded: {Size} of {Quota} bytes; writes are refused until history is compacted and the alarm disarmed")]
    public static partial void QuotaExceeded(ILogger logger, long size, long quota);

    [LoggerMessage(6, LogLevel.Debug, "Compacted to revision {Revision}")]
    public static partial void Compacted(ILogger logger, long revision);

    [LoggerMessage(7, LogLevel.Warning, "Lease checkpoint was not written")]
    public static partial void CheckpointFailed(ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Information, "Serving etcd v3 on {Addresses}")]
    public static partial void Serving(ILogger logger, string addresses);

    [LoggerMessage(9, LogLevel.Error, "A call failed unexpectedly: {Method}")]
    public static partial void CallFailed(ILogger logger, string method, Exception exception);
}
