using System.Buffers;
using System.Text.Json;

namespace Mesh.Telemetry;

/// <summary>How log lines look.</summary>
public enum LogFormat
{
    /// <summary>As klog prints: <c>I0102 15:04:05.000000       1 category] "message" key="value"</c>.</summary>
    Text,
    /// <summary>One JSON object a line: <c>ts</c>, <c>level</c>, <c>service</c>, <c>logger</c>, <c>msg</c> and the message's own fields.</summary>
    Json,
}

/// <summary>Where the log lines of a process go: one stream, whole lines, written at once.</summary>
public sealed class LogSink(Stream output, LogFormat format, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _line = new(512);
    private Utf8JsonWriter? _json;

    /// <summary>How lines look.</summary>
    public LogFormat Format => format;

    internal TimeProvider Time => time;

    /// <summary>A sink on the process's standard error.</summary>
    public static LogSink StandardError(LogFormat format) => new(Console.OpenStandardError(), format, TimeProvider.System);

    /// <inheritdoc/>
    public void Dispose() => _json?.Dispose();

    internal void Write(in LogLine line)
    {
        lock (_lock)
        {
            _line.ResetWrittenCount();
            if (format == LogFormat.Json)
            {
                _json ??= new Utf8JsonWriter(_line, new JsonWriterOptions { SkipValidation = true });
                _json.Reset(_line);
                LogLineFormat.WriteJson(_json, line);
                _json.Flush();
            }
            else
            {
                LogLineFormat.WriteText(_line, line);
            }
            _line.Write("\n"u8);
            try
            {
                output.Write(_line.WrittenSpan);
                output.Flush();
            }
            catch (IOException)
            {
                // Nobody reads the log any more; the service goes on.
            }
        }
    }
}
