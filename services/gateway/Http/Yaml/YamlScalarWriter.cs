using System.Globalization;
using System.Text;

namespace Mesh.Gateway.Http.Yaml;

/// <summary>
/// Writes strings as YAML scalars the way Kubernetes' library does: plain when that is read back as the same string, else in single quotes, in double quotes
/// when something must be escaped, several lines as a block. Long ones are folded at blanks after column 80.
/// </summary>
internal readonly struct YamlScalarWriter(StringBuilder text)
{
    private const int Width = 80;

    /// <summary>What is written to.</summary>
    public StringBuilder Text => text;

    /// <summary>Writes a string. Further lines of it are two deeper than <paramref name="indent"/>; keys stay on their line.</summary>
    public void Write(string value, int indent, bool isKey)
    {
        switch (YamlScalarStyles.Of(value, isKey))
        {
            case YamlScalarStyle.Plain:
                Fold(value, indent + 2, isKey, static (t, c) => t.Append(c));
                break;
            case YamlScalarStyle.Single:
                text.Append('\'');
                Fold(value, indent + 2, isKey, static (t, c) => t.Append(c == '\'' ? "''" : c.ToString()));
                text.Append('\'');
                break;
            case YamlScalarStyle.Double:
                Double(value, indent + 2, isKey);
                break;
            default:
                Literal(value, indent + 2);
                break;
        }
    }

    // One blank alone may become a line's end: two or more would not be read back.
    private void Fold(string value, int indent, bool isKey, Action<StringBuilder, char> put)
    {
        if (isKey || value.Length <= Width - Column())
        {
            foreach (var c in value) put(text, c);
            return;
        }

        var column = Column();
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c == ' ' && column > Width && i > 0 && i < value.Length - 1 && value[i - 1] != ' ' && value[i + 1] != ' ')
            {
                column = NewLine(indent);
                continue;
            }

            put(text, c);
            if (!char.IsLowSurrogate(c)) column += c == '\'' && text.Length > 1 && text[^2] == '\'' ? 2 : 1;
        }
    }

    private void Double(string value, int indent, bool isKey)
    {
        text.Append('"');
        var column = Column();
        var spaces = false;
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c == ' ' && !isKey && !spaces && column > Width && i > 0 && i < value.Length - 1)
            {
                column = NewLine(indent);
                if (value[i + 1] == ' ')
                {
                    text.Append('\\');
                    column++;
                }

                spaces = true;
                continue;
            }

            spaces = c == ' ';
            var before = text.Length;
            if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
            {
                text.Append(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(c, value[++i]):X8}");
            }
            else if (YamlScalarStyles.IsEscaped(c))
            {
                Escape(c);
            }
            else
            {
                text.Append(c);
            }

            column += text.Length - before;
        }

        text.Append('"');
    }

    private void Escape(char c)
    {
        var name = c switch
        {
            '\0' => "\\0",
            '\a' => "\\a",
            '\b' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\v' => "\\v",
            '\f' => "\\f",
            '\r' => "\\r",
            '\x1b' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u0085' => "\\N",
            '\u2028' => "\\L",
            '\u2029' => "\\P",
            _ => null,
        };
        if (name is not null) text.Append(name);
        else if (c < 256) text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}");
        else text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
    }

    // The hint after the bar: 2 when the first line is blank or begins so, "-" for no end of line at the end, "+" for several.
    private void Literal(string value, int indent)
    {
        text.Append('|');
        if (value[0] is ' ' or '\n') text.Append('2');
        if (value[^1] != '\n') text.Append('-');
        else if (value.Length == 1 || value[^2] == '\n') text.Append('+');
        var startsLine = true;
        text.Append('\n');
        foreach (var c in value)
        {
            if (startsLine && c != '\n') text.Append(' ', indent);
            startsLine = c == '\n';
            text.Append(c);
        }

        if (!startsLine) text.Append('\n');
    }

    private int NewLine(int indent)
    {
        text.Append('\n').Append(' ', indent);
        return indent;
    }

    private int Column()
    {
        var column = 0;
        for (var i = text.Length - 1; i >= 0 && text[i] != '\n'; i--)
        {
            if (!char.IsLowSurrogate(text[i])) column++;
        }

        return column;
    }
}
