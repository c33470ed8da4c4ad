using System.Text;

namespace Mesh.Gateway.Registry;

/// <summary>base64url without padding, read as Go reads it: line ends are skipped, and what is wrong is told by its byte.</summary>
internal static class Base64Url
{
    /// <summary>The bytes of a text.</summary>
    /// <exception cref="FormatException">Go's words for a text that is none.</exception>
    public static byte[] Decode(string text)
    {
        var source = Encoding.UTF8.GetBytes(text);
        var result = new List<byte>(source.Length * 3 / 4);
        var (bits, count) = (0, 0);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] is (byte)'\r' or (byte)'\n') continue;
            bits = (bits << 6) | Value(source[i], i);
            if (++count % 4 == 0) Add(3, bits);
        }

        switch (count % 4)
        {
            case 1: throw Corrupt(source.Length - 1);
            case 2: Add(1, bits << 12); break;
            case 3: Add(2, bits << 6); break;
        }

        return [.. result];

        void Add(int bytes, int group)
        {
            for (var shift = 16; bytes > 0; bytes--, shift -= 8) result.Add((byte)(group >> shift));
        }
    }

    private static int Value(byte symbol, int at) => (char)symbol switch
    {
        >= 'A' and <= 'Z' and var c => c - 'A',
        >= 'a' and <= 'z' and var c => c - 'a' + 26,
        >= '0' and <= '9' and var c => c - '0' + 52,
        '-' => 62,
        '_' => 63,
        _ => throw Corrupt(at),
    };

    private static FormatException Corrupt(int at) => new($"illegal base64 data at input byte {at}");
}
