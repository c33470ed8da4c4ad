using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Telemetry.Tests;

public sealed partial class LoggingTests
{
    [Fact]
    public void Json_lines_carry_the_fields_of_the_message()
    {
        var line = Assert.Single(Write(LogFormat.Json, log => PodBound(log, "default/web\n", 3)));
        using var json = JsonDocument.Parse(line);
        Assert.Equal("2026-01-02T03:04:05.678000Z", json.RootElement.GetProperty("ts").GetString());
        Assert.Equal("info", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("scheduler", json.RootElement.GetProperty("service").GetString());
        Assert.Equal("Pod bound", json.RootElement.GetProperty("msg").GetString());
        Assert.Equal("default/web\n", json.RootElement.GetProperty("pod").GetString());
        Assert.Equal(3, json.RootElement.GetProperty("attempts").GetInt32());
    }

    [Fact]
    public void Text_lines_look_like_klogs()
    {
        var line = Assert.Single(Write(LogFormat.Text, log => PodBound(log, "default/\"web\"", 3)));
        Assert.Matches("""^I0102 03:04:05\.678000 +\d+ scheduler/Binder\] "Pod bound" pod="default/\\"web\\"" attempts="3"$""", line);
    }

    [Fact]
    public void Errors_carry_their_exception()
    {
        var lines = Write(LogFormat.Text, log => Failed(log, new InvalidOperationException("broken")));
        Assert.Contains("err=\"broken\"", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("E0102", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("System.InvalidOperationException", lines[1], StringComparison.Ordinal);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Pod bound")]
    private static partial void PodBound(ILogger logger, string pod, int attempts);

    [LoggerMessage(Level = LogLevel.Error, Message = "Binding failed")]
    private static partial void Failed(ILogger logger, Exception exception);

    private static string[] Write(LogFormat format, Action<ILogger> log)
    {
        var output = new MemoryStream();
        using var sink = new LogSink(output, format, new FixedTime());
        using var provider = new MeshLoggerProvider(sink, "scheduler");
        log(provider.CreateLogger("Mesh.Scheduler.Binder"));
        return Encoding.UTF8.GetString(output.ToArray()).TrimEnd('\n').Split('\n');
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
    }
}
