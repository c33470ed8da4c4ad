using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mesh.Gateway.Streaming;

/// <summary>Status line and headers of an HTTP/1.1 answer (RFC 9112).</summary>
/// <param name="Code">Status code.</param>
/// <param name="Headers">In order.</param>
internal sealed record AnswerHead(int Code, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>Whether the body comes in chunks.</summary>
    public bool IsChunked => Value("Transfer-Encoding").Contains("chunked", StringComparison.OrdinalIgnoreCase);

    /// <summary>Content-Length, or null: the body ends with the connection.</summary>
    public long? Length => long.TryParse(Value("Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : null;

    /// <summary>Reads a head when it is whole; end is where the body begins.</summary>
    /// <exception cref="FormatException">No HTTP.</exception>
    public static bool TryParse(ReadOnlySequence<byte> buffer, out AnswerHead head, out SequencePosition end)
    {
        head = null!;
        end = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> text, "\r\n\r\n"u8)) return false;
        end = reader.Position;
        var lines = Encoding.Latin1.GetString(text).Split("\r\n");
        var status = lines[0].Split(' ', 3);
        if (status.Length < 2 || !status[0].StartsWith("HTTP/1.", StringComparison.Ordinal) || !int.TryParse(status[1], CultureInfo.InvariantCulture, out var code) || code is < 100 or > 599)
            throw new FormatException("the answer is no HTTP/1.1");
        var headers = new List<KeyValuePair<string, string>>(lines.Length - 1);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) throw new FormatException("a header of the answer has no name");
            headers.Add(new(line[..colon], line[(colon + 1)..].Trim()));
        }

        head = new AnswerHead(code, headers);
        return true;
    }

    private string Value(string name) => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";
}
