using System.Globalization;
using System.Text;

namespace Mesh.Caching;

/// <summary>Keys from several texts.</summary>
public static class SharedKey
{
    /// <summary>One key; different texts never make the same one, whatever characters they hold, because each goes with its length.</summary>
    public static string Of(params ReadOnlySpan<string> parts)
    {
        var key = new StringBuilder();
        foreach (var part in parts) key.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        return key.ToString();
    }
}
