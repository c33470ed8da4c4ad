using System.Text;

namespace Mesh.NodeAgent.Logs;

/// <summary>Finds the end of a log without reading all of it.</summary>
internal static class LogTail
{
    private const int Block = 32 * 1024;

    /// <summary>Offset where the last so many lines begin.</summary>
    public static long Offset(FileStream file, long lines)
    {
        var end = file.Length;
        if (lines <= 0)
            return end;
        var buffer = new byte[Block];
        long seen = 0;
        var position = end;
        while (position > 0)
        {
            var size = (int)Math.Min(Block, position);
            position -= size;
            file.Position = position;
            file.ReadExactly(buffer, 0, size);
            for (var i = size - 1; i >= 0; i--)
            {
                if (buffer[i] != (byte)'\n' || position + i == end - 1)
                    continue;
                if (++seen == lines)
                    return position + i + 1;
            }
        }

        return 0;
    }

    /// <summary>Contents of the last lines, without timestamps; empty when there is no log.</summary>
    public static IReadOnlyList<string> Last(string path, int lines)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = Offset(file, lines);
            using var reader = new StreamReader(file, Encoding.UTF8);
            var result = new List<string>();
            while (reader.ReadLine() is { } line)
                if (CriLogLine.TryParse(Encoding.UTF8.GetBytes(line), out var parsed))
                    result.Add(Encoding.UTF8.GetString(parsed.Content) + (parsed.Partial ? "" : "\n"));
            return result;
        }
        catch (IOException)
        {
            return [];
        }
    }
}
