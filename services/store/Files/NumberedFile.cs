using System.Globalization;

namespace Mesh.Store.Files;

/// <summary>Names of files that are a number in twenty digits, so that they sort as they count, and what kind of file it is.</summary>
internal static class NumberedFile
{
    public static string Name(ulong number, string extension) => number.ToString("D20", CultureInfo.InvariantCulture) + extension;

    public static bool TryParse(string path, string extension, out ulong number)
    {
        number = 0;
        return path.EndsWith(extension, StringComparison.Ordinal)
            && ulong.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
