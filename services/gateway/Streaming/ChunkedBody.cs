using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Mesh.Gateway.Streaming;

/// <summary>Takes the chunks off a body (RFC 9112 §7.1) while passing it on.</summary>
internal static class ChunkedBody
{
    /// <summary>Copies until the last chunk, flushing whenever the source pauses.</summary>
    /// <exception cref="FormatException">A chunk's size is none.</exception>
    public static async Task CopyAsync(PipeReader from, PipeWriter to, CancellationToken ct)
    {
        var left = -1L; // bytes left of the present chunk; -1: a size line is next
        while (true)
        {
            var read = await from.ReadAsync(ct);
            var buffer = read.Buffer;
            var more = true;
            while (more)
            {
                if (left < 0)
                {
                    more = TryReadSize(ref buffer, out left);
                    if (more && left == 0)
                    {
                        from.AdvanceTo(buffer.Start);
                        await to.FlushAsync(ct);
                        return;
                    }
                }
                else
                {
                    more = Pass(ref buffer, to, ref left);
                }
            }

            from.AdvanceTo(buffer.Start, buffer.End);
            var flushed = await to.FlushAsync(ct);
            if (flushed.IsCompleted) return;
            if (read.IsCompleted) throw new IOException("the body ended in the middle of a chunk");
        }
    }

    private static bool TryReadSize(ref ReadOnlySequence<byte> buffer, out long size)
    {
        size = -1;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8)) return false;
        var text = Encoding.Latin1.GetString(line);
        var semicolon = text.IndexOf(';', StringComparison.Ordinal);
        if (!long.TryParse((semicolon < 0 ? text : text[..semicolon]).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out size) || size < 0)
            throw new FormatException("a chunk of the answer has no size");
        buffer = buffer.Slice(reader.Position);
        return true;
    }

    /// <summary>Passes on what is there of a chunk, and takes the line end after it; false when more bytes are needed.</summary>
    private static bool Pass(ref ReadOnlySequence<byte> buffer, PipeWriter to, ref long left)
    {
        if (left > 0)
        {
            var part = buffer.Slice(0, Math.Min(left, buffer.Length));
            foreach (var segment in part) to.Write(segment.Span);
            left -= part.Length;
            buffer = buffer.Slice(part.End);
        }

        if (left > 0 || buffer.Length < 2) return false;
        buffer = buffer.Slice(2);
        left = -1;
        return true;
    }
}
