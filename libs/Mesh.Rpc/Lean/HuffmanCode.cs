namespace Mesh.Rpc.Lean;

/// <summary>The static Huffman code of HPACK (RFC 7541, appendix B). The code is canonical: lengths of the symbols say everything.</summary>
internal static class HuffmanCode
{
    private const int Longest = 30;
    private const int EndOfString = 256;

    private static readonly int[] s_symbols = new int[257]; // by length, then by value
    private static readonly int[] s_counts = new int[Longest + 1];

    static HuffmanCode()
    {
        var lengths = new byte[257];
        Set(5, "012aceiost");
        Set(6, " %-./3456789=A_bdfghlmnpru");
        Set(7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz");
        Set(8, "&*,;XZ");
        Set(10, "!\"()?");
        Set(11, "'+|");
        Set(12, "#>");
        Set(13, "\0$@[]~");
        Set(14, "^}");
        Set(15, "<`{");
        Mark(19, 92, 195, 208);
        Mark(20, 128, 130, 131, 162, 184, 194, 224, 226);
        Mark(21, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230);
        Mark(22, 129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233);
        Mark(23, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239);
        Mark(24, 9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237);
        Mark(25, 199, 207, 234, 235);
        Mark(26, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255);
        Mark(27, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254);
        Mark(28, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249);
        Mark(30, 10, 13, 22, EndOfString);
        var next = 0;
        for (var length = 1; length <= Longest; length++)
        {
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] != length) continue;
                s_symbols[next++] = symbol;
                s_counts[length]++;
            }
        }

        void Set(byte length, string symbols)
        {
            foreach (var symbol in symbols) lengths[symbol] = length;
        }

        void Mark(byte length, params ReadOnlySpan<int> symbols)
        {
            foreach (var symbol in symbols) lengths[symbol] = length;
        }
    }

    /// <summary>Decodes a string literal; null when the bytes are not in the code or the padding is wrong (section 5.2).</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length * 8 / 5];
        var written = 0;
        int code = 0, first = 0, index = 0, length = 0;
        var ones = true;
        foreach (var b in bytes)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var one = (b >> bit) & 1;
                ones &= one == 1;
                code |= one;
                length++;
                var count = length <= Longest ? s_counts[length] : 0;
                if (code - count < first)
                {
                    var symbol = s_symbols[index + (code - first)];
                    if (symbol == EndOfString) return null;
                    text[written++] = (char)symbol;
                    (code, first, index, length, ones) = (0, 0, 0, 0, true);
                    continue;
                }

                if (length >= Longest) return null;
                index += count;
                first = (first + count) << 1;
                code <<= 1;
            }
        }

        return length < 8 && ones ? new string(text, 0, written) : null;
    }
}
