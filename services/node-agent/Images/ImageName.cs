using System.Text.RegularExpressions;

namespace Mesh.NodeAgent.Images;

/// <summary>The grammar of image names (the distribution project's reference format): [DOMAIN/]PATH[:TAG][@DIGEST].</summary>
internal static partial class ImageName
{
    private const int MaxPath = 255;

    /// <summary>What is wrong with the name, in the words users know; null when it is good.</summary>
    public static string? Fault(string image)
    {
        var match = Form().Match(image);
        if (!match.Success)
        {
            // Upper case is the one mistake that gets its own words; a capital in the domain or tag is none.
            var rest = WithoutTag(image);
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            var path = slash > 0 && IsDomain(rest[..slash]) ? rest[(slash + 1)..] : slash < 0 ? "library/" + rest : rest;
            return path.Any(char.IsUpper) && Form().IsMatch(image.Replace(rest, rest.ToLowerInvariant(), StringComparison.Ordinal))
                ? $"invalid reference format: repository name ({path}) must be lowercase"
                : "invalid reference format";
        }

        return match.Groups["path"].Length > MaxPath ? $"repository name must not be more than {MaxPath} characters" : null;
    }

    private static string WithoutTag(string image)
    {
        var name = image.Split('@')[0];
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? name[..colon] : name;
    }

    private static bool IsDomain(string first) => first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal) || first == "localhost";

    [GeneratedRegex(
        @"^(?:(?<domain>(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?|\[[a-fA-F0-9:]+\](?::[0-9]+)?)/)?"
        + @"(?<path>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
