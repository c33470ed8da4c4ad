namespace Mesh.Gateway.Registry;

/// <summary>What a strict reader found, as the request wants it told.</summary>
internal static class StrictErrors
{
    // How the YAML library begins a list of what it found, a line each.
    private const string YamlList = "yaml: unmarshal errors:\n";
    private const string ConvertedYamlList = "error converting YAML to JSON: " + YamlList;

    /// <summary>One text, for a refusal.</summary>
    public static string Text(IEnumerable<string> errors) => "strict decoding error: " + string.Join(", ", errors);

    /// <summary>Adds each as a warning of its own, once.</summary>
    public static void Warn(RequestContext request, IEnumerable<string> errors) => Warn(request.Warnings, errors);

    /// <summary>The same, to a list of warnings.</summary>
    public static void Warn(List<string> warnings, IEnumerable<string> errors)
    {
        foreach (var warning in errors.SelectMany(Lines))
        {
            if (!warnings.Contains(warning)) warnings.Add(warning);
        }
    }

    private static IEnumerable<string> Lines(string error)
    {
        var list = error.StartsWith(YamlList, StringComparison.Ordinal) ? error[YamlList.Length..]
            : error.StartsWith(ConvertedYamlList, StringComparison.Ordinal) ? error[ConvertedYamlList.Length..] : null;
        return list is null ? [error] : list.Split('\n', StringSplitOptions.TrimEntries);
    }
}
