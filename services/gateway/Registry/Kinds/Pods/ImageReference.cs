using System.Text.RegularExpressions;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Names of images, as container registries' clients read them: [domain/]path[:tag][@digest].</summary>
internal static partial class ImageReference
{
    private const int MaxNameLength = 255;

    /// <summary>The tag of an image: "latest" when the name has neither tag nor digest, "" when it has only a digest or cannot be read.</summary>
    public static string Tag(string image)
    {
        if (Identifier().IsMatch(image))
            return string.Empty;
        var slash = image.IndexOf('/');
        var first = slash < 0 ? string.Empty : image[..slash];
        var hasDomain = first.Length > 0 && (first.AsSpan().IndexOfAny('.', ':') >= 0 || first == "localhost" || first.Any(char.IsAsciiLetterUpper));
        var match = (hasDomain ? Qualified() : Short()).Match(image);
        if (!match.Success || match.Groups["name"].Length > MaxNameLength)
            return string.Empty;
        var groups = match.Groups;
        return groups["tag"].Success ? groups["tag"].Value : groups["digest"].Success ? string.Empty : "latest";
    }

    private const string Path = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*";
    private const string Label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
    private const string Domain = "(?:" + Label + "(?:\\." + Label + ")*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?";
    private const string Rest = "(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?\\z";

    [GeneratedRegex("\\A(?<name>" + Path + ")" + Rest, RegexOptions.CultureInvariant)]
    private static partial Regex Short();

    [GeneratedRegex("\\A(?<name>" + Domain + "/" + Path + ")" + Rest, RegexOptions.CultureInvariant)]
    private static partial Regex Qualified();

    // An image's own hash cannot be told from a name.
    [GeneratedRegex("\\A[a-f0-9]{64}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Identifier();
}
