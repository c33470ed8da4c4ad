using Microsoft.Extensions.Logging;

namespace Mesh.Telemetry;

/// <summary>Loggers of one service into the process's sink.</summary>
public sealed class MeshLoggerProvider(LogSink sink, string service) : ILoggerProvider
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(sink, service, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The sink belongs to the process.
    }

    private sealed class Logger(LogSink sink, string service, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.None) return;
            sink.Write(new LogLine(
                sink.Time.GetUtcNow(), logLevel, service, category, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>>, exception));
        }
    }
}
