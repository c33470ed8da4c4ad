using Microsoft.Extensions.Logging;

namespace Mesh.Caching;

internal static partial class Log
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Redis gives no answer, working without it: {Reason}")]
    public static partial void RedisSilent(ILogger logger, string reason);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "Redis answers again")]
    public static partial void RedisAnswers(ILogger logger);
}
