using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Mesh.Dns.Zone;

/// <summary>Addresses written as names for PTR questions (RFC 1035 §3.5, RFC 3596 §2.5).</summary>
internal static class ReverseName
{
    public static bool TryParse(string name, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        var labels = name.Split('.');
        if (name.EndsWith(".in-addr.arpa", StringComparison.Ordinal) && labels.Length == 6)
            return IPAddress.TryParse($"{labels[3]}.{labels[2]}.{labels[1]}.{labels[0]}", out address);
        if (!name.EndsWith(".ip6.arpa", StringComparison.Ordinal) || labels.Length != 34)
            return false;
        Span<byte> bytes = stackalloc byte[16];
        for (var i = 0; i < 32; i++)
        {
            if (labels[31 - i].Length != 1 || !byte.TryParse(labels[31 - i], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var nibble))
                return false;
            bytes[i / 2] |= (byte)(i % 2 == 0 ? nibble << 4 : nibble);
        }

        address = new IPAddress(bytes);
        return true;
    }
}
