using System.Text;
using Mesh.NodeAgent.Logs;

namespace Mesh.NodeAgent.Tests.Logs;

public sealed class LogTests : IDisposable
{
    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public async Task Content_is_what_the_container_wrote()
    {
        Fill("stdout F one", "stderr F oops", "stdout P par", "stdout F tial", "stdout F ");
        Assert.Equal("one\noops\npartial\n\n", await ReadAsync(new LogQuery()));
        Assert.Equal("oops\n", await ReadAsync(new LogQuery { Stream = "Stderr" }));
        Assert.Equal("tial\n\n", await ReadAsync(new LogQuery { TailLines = 2 }));
        Assert.Equal("", await ReadAsync(new LogQuery { TailLines = 0 }));
        Assert.Equal("one\noo", await ReadAsync(new LogQuery { LimitBytes = 6 }));
        Assert.Equal("partial\n\n", await ReadAsync(new LogQuery { Since = new DateTime(2026, 1, 1, 0, 0, 2, DateTimeKind.Utc) }));
        Assert.StartsWith("2026-01-01T00:00:00.000000001Z one\n", await ReadAsync(new LogQuery { Timestamps = true }));
    }

    [Fact]
    public async Task Lines_longer_than_a_block_and_many_lines_are_found_from_the_end()
    {
        var big = new string('x', 100_000);
        Fill([.. Enumerable.Range(0, 2000).Select(i => $"stdout F line {i}"), "stdout F " + big]);
        Assert.Equal($"line 1999\n{big}\n", await ReadAsync(new LogQuery { TailLines = 2 }));
        Assert.Equal(2001, (await ReadAsync(new LogQuery { TailLines = 100_000 })).Count(c => c == '\n'));
    }

    [Fact]
    public async Task Foreign_lines_are_skipped()
    {
        File.WriteAllText(path, "garbage\n\n2026-01-01T00:00:00.000000001Z stdout F ok\n2026-01-01T00:00:00.1Z nowhere F x\n");
        Assert.Equal("ok\n", await ReadAsync(new LogQuery()));
    }

    [Fact]
    public async Task Grown_log_is_turned_over_and_old_ones_go()
    {
        var directory = Directory.CreateTempSubdirectory("rotate").FullName;
        var log = Path.Combine(directory, "0.log");
        var rotation = new LogRotation(10, 3);
        foreach (var stamp in new[] { "20200101-000000", "20200102-000000", "20200103-000000" })
            File.WriteAllText($"{log}.{stamp}", "old");
        File.WriteAllText(log, "more than ten bytes");
        var reopened = 0;
        await rotation.RotateAsync(log, () => { reopened++; File.WriteAllText(log, ""); return Task.CompletedTask; }, default);
        Assert.Equal(1, reopened);
        Assert.Equal(3, Directory.GetFiles(directory).Length);
        await rotation.RotateAsync(log, () => throw new InvalidOperationException("a short log is left alone"), default);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Follower_misses_nothing_when_the_log_is_turned_over()
    {
        var directory = Directory.CreateTempSubdirectory("follow").FullName;
        var log = Path.Combine(directory, "0.log");
        File.WriteAllText(log, Line(0));
        using var runtime = new StreamWriter(new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
        var rounds = 0;
        // Called before every read: each round does one thing that happens between two looks of the follower.
        bool Ended()
        {
            switch (rounds++)
            {
                case 2:
                    File.Move(log, log + ".20260101-000000");
                    runtime.Write(Line(1)); // the runtime still writes to the moved file
                    break;
                case 4:
                    runtime.Write(Line(2)); // ... until it opens the new one, which grows past the old one's end at once
                    File.WriteAllText(log, string.Concat(Enumerable.Range(3, 500).Select(Line)));
                    break;
                case 8:
                    File.Move(log, log + ".20260101-000001");
                    File.WriteAllText(log, Line(503));
                    break;
            }

            return rounds > 8;
        }

        using var output = new MemoryStream();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await new LogStreamer(TimeProvider.System).WriteAsync(log, new LogQuery { Follow = true }, output, Ended, limit.Token);
        Assert.Equal(string.Concat(Enumerable.Range(0, 504).Select(i => $"line {i}\n")), Encoding.UTF8.GetString(output.ToArray()));
        Directory.Delete(directory, recursive: true);

        static string Line(int number) => $"2026-01-01T00:00:00.000000001Z stdout F line {number}\n";
    }

    private void Fill(params string[] lines)
    {
        var text = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
            text.Append($"2026-01-01T00:{i / 60 % 60:00}:{i % 60:00}.000000001Z {lines[i]}\n");
        File.WriteAllText(path, text.ToString());
    }

    private async Task<string> ReadAsync(LogQuery query)
    {
        using var output = new MemoryStream();
        await new LogStreamer(TimeProvider.System).WriteAsync(path, query, output, () => true, default);
        return Encoding.UTF8.GetString(output.ToArray());
    }
}
