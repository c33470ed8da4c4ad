using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mesh.Telemetry;

/// <summary>One log record before it is formatted.</summary>
internal readonly record struct LogLine(
    DateTimeOffset Time,
    LogLevel Level,
    string Service,
    string Category,
    string Message,
    IReadOnlyList<KeyValuePair<string, object?>>? Fields,
    Exception? Exception);

/// <summary>The two line formats.</summary>
internal static class LogLineFormat
{
    private const string OriginalFormat = "{OriginalFormat}";

    public static void WriteJson(Utf8JsonWriter json, in LogLine line)
    {
        json.WriteStartObject();
        json.WriteString("ts"u8, line.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
        json.WriteString("level"u8, LevelName(line.Level));
        if (line.Service.Length > 0) json.WriteString("service"u8, line.Service);
        json.WriteString("logger"u8, line.Category);
        json.WriteString("msg"u8, line.Message);
        if (line.Fields is { } fields)
        {
            foreach (var (key, value) in fields)
            {
                if (key == OriginalFormat) continue;
                json.WritePropertyName(char.ToLowerInvariant(key[0]) + key[1..]);
                WriteValue(json, value);
            }
        }
        if (line.Exception is { } e) json.WriteString("err"u8, e.ToString());
        json.WriteEndObject();
    }

    public static void WriteText(IBufferWriter<byte> output, in LogLine line)
    {
        var text = new StringBuilder(160);
        text.Append(LevelName(line.Level)[0] switch { 't' or 'd' => 'D', 'w' => 'W', 'e' => 'E', 'c' => 'F', _ => 'I' })
            .Append(line.Time.UtcDateTime.ToString("MMdd HH:mm:ss.ffffff", CultureInfo.InvariantCulture))
            .Append(' ').Append(Environment.ProcessId.ToString(CultureInfo.InvariantCulture).PadLeft(7)).Append(' ');
        if (line.Service.Length > 0) text.Append(line.Service).Append('/');
        text.Append(line.Category.AsSpan(line.Category.LastIndexOf('.') + 1)).Append("] ");
        AppendQuoted(text, line.Message);
        if (line.Fields is { } fields)
        {
            foreach (var (key, value) in fields)
            {
                if (key == OriginalFormat) continue;
                text.Append(' ').Append(char.ToLowerInvariant(key[0])).Append(key.AsSpan(1)).Append('=');
                AppendQuoted(text, value is IFormattable f ? f.ToString(null, CultureInfo.InvariantCulture) : value?.ToString() ?? "<nil>");
            }
        }
        if (line.Exception is { } e)
        {
            text.Append(" err=");
            AppendQuoted(text, e.Message);
            text.Append('\n').Append(e);
        }
        foreach (var chunk in text.GetChunks()) Encoding.UTF8.GetBytes(chunk.Span, output);
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool b: json.WriteBooleanValue(b); break;
            case int i: json.WriteNumberValue(i); break;
            case long l: json.WriteNumberValue(l); break;
            case uint u: json.WriteNumberValue(u); break;
            case ulong u: json.WriteNumberValue(u); break;
            case double d when double.IsFinite(d): json.WriteNumberValue(d); break;
            case IFormattable f: json.WriteStringValue(f.ToString(null, CultureInfo.InvariantCulture)); break;
            default: json.WriteStringValue(value.ToString()); break;
        }
    }

    private static void AppendQuoted(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                default: text.Append(c); break;
            }
        }
        text.Append('"');
    }

    private static string LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        LogLevel.Critical => "critical",
        _ => "info",
    };
}
