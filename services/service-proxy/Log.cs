using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "applied {Count} service port changes in {Milliseconds:F2} ms")]
    public static partial void Applied(ILogger logger, int count, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "forwarding driver {Driver}, {Ports} service ports")]
    public static partial void Started(ILogger logger, string driver, int ports);

    [LoggerMessage(Level = LogLevel.Warning, Message = "driver {Driver} cannot be used: {Reason}")]
    public static partial void DriverUnusable(ILogger logger, string driver, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "applying changes failed, everything is set anew")]
    public static partial void ApplyFailed(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Setting} could not be set: {Reason}")]
    public static partial void SettingFailed(ILogger logger, string setting, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Service {Service}: {Reason}")]
    public static partial void ServiceSkipped(ILogger logger, string service, string reason);
}
