using System.Text;

namespace Mesh.Api.Selectors;

/// <summary>One condition of a field selector.</summary>
/// <param name="Field">The field's path, such as spec.nodeName.</param>
/// <param name="Value">The value compared with.</param>
/// <param name="IsEqual">True for = and ==, false for !=.</param>
public readonly record struct FieldRequirement(string Field, string Value, bool IsEqual);

/// <summary>A field selector: all of its conditions must hold; a field that an object lacks is the empty string.</summary>
public sealed class FieldSelector
{
    private readonly FieldRequirement[] requirements;

    private FieldSelector(FieldRequirement[] requirements) => this.requirements = requirements;

    /// <summary>Matches every object.</summary>
    public static FieldSelector Everything { get; } = new([]);

    /// <summary>The conditions.</summary>
    public IReadOnlyList<FieldRequirement> Requirements => requirements;

    /// <summary>True when every object matches.</summary>
    public bool IsEverything => requirements.Length == 0;

    /// <summary>Reads the text form: metadata.name=x,spec.nodeName!=y; backslash escapes comma, equals and itself. Throws FormatException.</summary>
    public static FieldSelector Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return Everything;
        var terms = Split(text);
        terms.Sort(StringComparer.Ordinal);
        var list = new List<FieldRequirement>();
        foreach (var term in terms)
        {
            if (term.Length > 0)
                list.Add(ParseTerm(text, term));
        }

        return new([.. list]);
    }

    /// <summary>The value a field is required to have exactly, or null.</summary>
    public string? RequiredValue(string field)
    {
        foreach (var requirement in requirements)
        {
            if (requirement.IsEqual && requirement.Field == field)
                return requirement.Value;
        }

        return null;
    }

    /// <summary>True when the fields given by <paramref name="read"/> (null = absent) fulfil every condition.</summary>
    public bool Matches(Func<string, string?> read)
    {
        foreach (var requirement in requirements)
        {
            var equal = (read(requirement.Field) ?? string.Empty) == requirement.Value;
            if (equal != requirement.IsEqual)
                return false;
        }

        return true;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => string.Join(',', requirements.Select(r => r.Field + (r.IsEqual ? "=" : "!=") + Escape(r.Value)));

    private static List<string> Split(string text)
    {
        var terms = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == ',')
            {
                terms.Add(text[start..i]);
                start = i + 1;
            }
        }

        terms.Add(text[start..]);
        return terms;
    }

    private static FieldRequirement ParseTerm(string selector, string term)
    {
        for (var i = 0; i < term.Length; i++)
        {
            if (term[i] == '!' && i + 1 < term.Length && term[i + 1] == '=')
                return new(term[..i], Unescape(term[(i + 2)..]), false);
            if (term[i] == '=')
                return new(term[..i], Unescape(term[(i + (i + 1 < term.Length && term[i + 1] == '=' ? 2 : 1))..]), true);
        }

        throw new FormatException($"invalid selector: '{selector}'; can't understand '{term}'");
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace(",", "\\,").Replace("=", "\\=");

    private static string Unescape(string value)
    {
        if (value.IndexOfAny(['\\', ',', '=']) < 0)
            return value;
        var builder = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\')
            {
                if (i + 1 == value.Length || value[i + 1] is not ('\\' or ',' or '='))
                    throw new FormatException($"invalid field selector: invalid escape sequence: {value[i..Math.Min(i + 2, value.Length)]}");
                builder.Append(value[++i]);
            }
            else if (value[i] is ',' or '=')
            {
                throw new FormatException($"invalid field selector: unescaped character in value: {value[i]}");
            }
            else
            {
                builder.Append(value[i]);
            }
        }

        return builder.ToString();
    }
}
