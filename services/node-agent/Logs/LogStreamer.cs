using System.Buffers;

namespace Mesh.NodeAgent.Logs;

/// <summary>What part of a log is wanted.</summary>
internal sealed record LogQuery
{
    public bool Follow { get; init; }

    public bool Timestamps { get; init; }

    public long? TailLines { get; init; }

    public DateTime? Since { get; init; }

    public long? LimitBytes { get; init; }

    /// <summary>"All", "Stdout" or "Stderr".</summary>
    public string Stream { get; init; } = "All";
}

/// <summary>Reads a CRI log file and writes what the container wrote, following it while the container lives.</summary>
internal sealed class LogStreamer(TimeProvider time)
{
    private static readonly TimeSpan FollowStep = TimeSpan.FromMilliseconds(50);
    private const int BufferSize = 32 * 1024;

    /// <summary>Writes until the end of the log (or, following, until the container has ended and all is written).</summary>
    public async Task WriteAsync(string path, LogQuery query, Stream output, Func<bool> ended, CancellationToken ct)
    {
        var writer = new LineWriter(query, output);
        var file = Open(path);
        var name = NameOf(file);
        var moved = false;
        try
        {
            // Lines that the other filters drop do not count as tail lines only when they come last; Kubernetes counts records too.
            if (query.TailLines is { } tail)
                file.Position = LogTail.Offset(file, tail);
            var pending = new ArrayBufferWriter<byte>();
            var buffer = new byte[BufferSize];
            while (!writer.Full)
            {
                var over = ended();
                var count = await file.ReadAsync(buffer, ct);
                if (count > 0)
                {
                    await TakeAsync(buffer.AsMemory(0, count), pending, writer, ct);
                    continue;
                }

                await writer.FlushAsync(ct);
                if (!query.Follow)
                    break;
                if (moved)
                {
                    await file.DisposeAsync();
                    file = Open(path);
                    (name, moved) = (NameOf(file), false);
                    continue;
                }

                // The log was turned over when our file has another name and the old name exists again. Nobody writes to ours any more then,
                // but somebody may have since we last read: once more, then on to the new one.
                if (NameOf(file) != name && File.Exists(path))
                {
                    moved = true;
                    continue;
                }

                if (over)
                    break;
                await Task.Delay(FollowStep, time, ct);
            }
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1, useAsync: false);

    /// <summary>What the open file is called now.</summary>
    private static string? NameOf(FileStream open) => File.ResolveLinkTarget($"/proc/self/fd/{open.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;

    private static async Task TakeAsync(ReadOnlyMemory<byte> data, ArrayBufferWriter<byte> pending, LineWriter writer, CancellationToken ct)
    {
        while (data.Length > 0 && !writer.Full)
        {
            var end = data.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                pending.Write(data.Span);
                return;
            }

            if (pending.WrittenCount > 0)
            {
                pending.Write(data.Span[..end]);
                writer.Line(pending.WrittenSpan);
                pending.Clear();
            }
            else
            {
                writer.Line(data.Span[..end]);
            }

            data = data[(end + 1)..];
            await writer.SpillAsync(ct);
        }
    }

    private sealed class LineWriter(LogQuery query, Stream output)
    {
        private const int Spill = 32 * 1024;
        private readonly ArrayBufferWriter<byte> buffer = new();
        private long left = query.LimitBytes ?? long.MaxValue;
        private bool middle;

        public bool Full => left <= 0;

        public void Line(ReadOnlySpan<byte> raw)
        {
            if (!CriLogLine.TryParse(raw, out var line))
                return;
            if ((query.Stream == "Stdout" && line.Stderr) || (query.Stream == "Stderr" && !line.Stderr))
                return;
            if (query.Since is { } since && line.Time() < since)
                return;
            if (query.Timestamps && !middle)
            {
                Put(line.Timestamp);
                Put(" "u8);
            }

            Put(line.Content);
            middle = line.Partial;
            if (!line.Partial)
                Put("\n"u8);
        }

        public ValueTask SpillAsync(CancellationToken ct) => buffer.WrittenCount >= Spill || Full ? new ValueTask(FlushAsync(ct)) : ValueTask.CompletedTask;

        public async Task FlushAsync(CancellationToken ct)
        {
            if (buffer.WrittenCount == 0)
                return;
            await output.WriteAsync(buffer.WrittenMemory, ct);
            await output.FlushAsync(ct);
            buffer.Clear();
        }

        private void Put(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length > left)
                bytes = bytes[..(int)Math.Max(left, 0)];
            left -= bytes.Length;
            buffer.Write(bytes);
        }
    }
}
