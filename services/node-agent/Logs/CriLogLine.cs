using System.Globalization;
using System.Text;

namespace Mesh.NodeAgent.Logs;

/// <summary>One line of a CRI log: time, stream, whether the container's own line ends here, and the content.</summary>
internal readonly ref struct CriLogLine
{
    private CriLogLine(ReadOnlySpan<byte> timestamp, bool stderr, bool partial, ReadOnlySpan<byte> content)
    {
        Timestamp = timestamp;
        Stderr = stderr;
        Partial = partial;
        Content = content;
    }

    /// <summary>RFC 3339 with nanoseconds, as written.</summary>
    public ReadOnlySpan<byte> Timestamp { get; }

    public bool Stderr { get; }

    /// <summary>The container's line goes on in the next record.</summary>
    public bool Partial { get; }

    /// <summary>Without the end of line.</summary>
    public ReadOnlySpan<byte> Content { get; }

    /// <summary>Reads a line (without its newline); false when it is not in the format.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out CriLogLine result)
    {
        result = default;
        var first = line.IndexOf((byte)' ');
        if (first < 20)
            return false;
        var rest = line[(first + 1)..];
        var second = rest.IndexOf((byte)' ');
        if (second < 0)
            return false;
        var stream = rest[..second];
        var stderr = stream.SequenceEqual("stderr"u8);
        if (!stderr && !stream.SequenceEqual("stdout"u8))
            return false;
        rest = rest[(second + 1)..];
        var third = rest.IndexOf((byte)' ');
        var tags = third < 0 ? rest : rest[..third];
        var content = third < 0 ? default : rest[(third + 1)..];
        var partial = tags.Length > 0 && tags[0] == (byte)'P';
        result = new CriLogLine(line[..first], stderr, partial, content);
        return true;
    }

    /// <summary>The time, or the smallest when it cannot be read.</summary>
    public DateTime Time() =>
        DateTime.TryParse(Encoding.ASCII.GetString(Timestamp), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : DateTime.MinValue;
}
