using Microsoft.Extensions.Logging;

namespace Mesh.Hosting;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Service started")]
    public static partial void Started(ILogger logger, string name, long milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Service stopped")]
    public static partial void Stopped(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "Service did not stop cleanly")]
    public static partial void StopFailed(ILogger logger, Exception exception, string name);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Could not start")]
    public static partial void StartFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Critical, Message = "A service ended by itself; the process stops")]
    public static partial void Crashed(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A default is set for a setting that no service has")]
    public static partial void UnknownDefault(ILogger logger, string setting);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The configuration file has a name that no setting of this process has")]
    public static partial void UnusedFileName(ILogger logger, string setting);
}
