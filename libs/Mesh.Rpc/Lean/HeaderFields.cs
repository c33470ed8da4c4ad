using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>Decoded header fields as gRPC's metadata.</summary>
internal static class HeaderFields
{
    public static Metadata ToMetadata(IReadOnlyList<(string Name, string Value)> fields)
    {
        var metadata = new Metadata();
        foreach (var (name, value) in fields)
        {
            try
            {
                if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal)) metadata.Add(name, value);
                else foreach (var part in value.Split(',')) metadata.Add(name, Convert.FromBase64String(Pad(part)));
            }
            catch (Exception e) when (e is FormatException or ArgumentException)
            {
                // A header that gRPC has no form for is nobody's: nobody sees it.
            }
        }

        return metadata;

        static string Pad(string text) => (text.Length % 4) switch { 2 => text + "==", 3 => text + "=", _ => text };
    }
}
