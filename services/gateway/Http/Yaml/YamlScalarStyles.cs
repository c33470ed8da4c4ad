using System.Text.RegularExpressions;
using Mesh.Api.Codecs;

namespace Mesh.Gateway.Http.Yaml;

/// <summary>How a YAML scalar is written.</summary>
internal enum YamlScalarStyle
{
    /// <summary>As it is.</summary>
    Plain,

    /// <summary>In single quotes.</summary>
    Single,

    /// <summary>In double quotes, with escapes.</summary>
    Double,

    /// <summary>As a block of lines after a bar.</summary>
    Literal,
}

/// <summary>Chooses the style of a string: YAML 1.1's rules for plain scalars in block context (yaml.org/spec/1.1 §9.1.3).</summary>
internal static partial class YamlScalarStyles
{
    /// <summary>The style of a string, as a key or as a value.</summary>
    public static YamlScalarStyle Of(string value, bool isKey)
    {
        if (value.Contains('\n', StringComparison.Ordinal)) return isKey || !FitsBlock(value) ? YamlScalarStyle.Double : YamlScalarStyle.Literal;
        if (!YamlCodec.IsPlainString(value) || Sexagesimal().IsMatch(value) || Date().IsMatch(value)) return YamlScalarStyle.Double;
        foreach (var c in value)
        {
            if (c < ' ' || (c > '~' && IsEscaped(c)) || char.IsSurrogate(c)) return YamlScalarStyle.Double;
        }

        return value[0] == ' ' || value[^1] == ' ' || HasIndicator(value) ? YamlScalarStyle.Single : YamlScalarStyle.Plain;
    }

    /// <summary>Whether a character stands for itself nowhere but in a block or as an escape.</summary>
    public static bool IsEscaped(char c) => c is < ' ' or '"' or '\\' or (> '~' and < '\u00a0') or '\u2028' or '\u2029' or '\ufeff' or '\ufffe' or '\uffff';

    // What a reader would take for the begin of something else.
    private static bool HasIndicator(string value)
    {
        if (value.StartsWith("---", StringComparison.Ordinal) || value.StartsWith("...", StringComparison.Ordinal)) return true;
        var blankFollows = value.Length == 1 || value[1] == ' ';
        if (value[0] is '#' or ',' or '[' or ']' or '{' or '}' or '&' or '*' or '!' or '|' or '>' or '\'' or '"' or '%' or '@' or '`') return true;
        if (value[0] is '?' or ':' or '-' && blankFollows) return true;
        for (var i = 1; i < value.Length; i++)
        {
            if (value[i] == ':' && (i == value.Length - 1 || value[i + 1] == ' ')) return true;
            if (value[i] == '#' && value[i - 1] == ' ') return true;
        }

        return false;
    }

    // No blanks at the end of the text or of a line, and nothing to escape but line ends.
    private static bool FitsBlock(string value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (char.IsSurrogate(c) || (c is not ('\n' or '"' or '\\') && IsEscaped(c))) return false;
            if (c == ' ' && (i == value.Length - 1 || value[i + 1] == '\n')) return false;
        }

        return true;
    }

    [GeneratedRegex(@"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sexagesimal();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Date();
}
