namespace Mesh.Api.Selectors;

/// <summary>
/// The grammar of label selectors: comma-separated requirements, each KEY, !KEY, KEY op VALUE (= == != > &lt;) or
/// KEY in|notin (VALUE,...). "in" and "notin" are words only between a key and its values.
/// </summary>
internal sealed class SelectorParser
{
    private const string Operators = "in, notin, =, ==, !=, gt, lt";
    private const string Words = "=!(),<>";

    private readonly List<Token> tokens;
    private int at;

    internal SelectorParser(string text) => tokens = Scan(text);

    private enum Sort
    {
        Identifier,
        Symbol,
        End,
    }

    private Token Next => tokens[Math.Min(at, tokens.Count - 1)];

    internal List<Requirement> Parse()
    {
        var result = new List<Requirement>();
        while (true)
        {
            if (Next.Sort == Sort.End)
                return result;
            if (Next.Sort != Sort.Identifier && !Next.Is("!"))
                throw new FormatException($"found '{Next.Text}', expected: !, identifier, or 'end of string'");

            try
            {
                result.Add(ParseRequirement());
            }
            catch (FormatException e)
            {
                throw new FormatException("unable to parse requirement: " + e.Message, e);
            }

            var after = Take();
            if (after.Sort == Sort.End)
                return result;
            if (!after.Is(","))
                throw new FormatException($"found '{after.Text}', expected: ',' or 'end of string'");
            if (Next.Sort != Sort.Identifier && !Next.Is("!"))
                throw new FormatException($"found '{Next.Text}', expected: identifier after ','");
        }
    }

    private static List<Token> Scan(string text)
    {
        var tokens = new List<Token>();
        var pos = 0;
        while (true)
        {
            while (pos < text.Length && text[pos] is ' ' or '\t' or '\r' or '\n')
                pos++;
            if (pos >= text.Length)
            {
                tokens.Add(new(Sort.End, string.Empty));
                return tokens;
            }

            var start = pos;
            if (Words.Contains(text[pos]))
            {
                // Only "==" and "!=" take two characters.
                pos += text[pos] is '=' or '!' && pos + 1 < text.Length && text[pos + 1] == '=' ? 2 : 1;
                tokens.Add(new(Sort.Symbol, text[start..pos]));
            }
            else
            {
                while (pos < text.Length && !Words.Contains(text[pos]) && text[pos] is not (' ' or '\t' or '\r' or '\n'))
                    pos++;
                tokens.Add(new(Sort.Identifier, text[start..pos]));
            }
        }
    }

    private Token Take()
    {
        var token = Next;
        at++;
        return token;
    }

    private Requirement ParseRequirement()
    {
        var token = Take();
        var negated = token.Is("!");
        if (negated)
            token = Take();
        if (token.Sort != Sort.Identifier)
            throw new FormatException($"found '{token.Text}', expected: identifier");

        var key = token.Text;
        var keyErrors = Names.QualifiedName(key);
        if (keyErrors.Count > 0)
            throw new FormatException(FieldError.Invalid(FieldPath.Root, key, string.Join("; ", keyErrors)).ToString());
        if (negated)
            return Requirement.Create(key, SelectorOperator.DoesNotExist, []);
        if (Next.Sort == Sort.End || Next.Is(","))
            return Requirement.Create(key, SelectorOperator.Exists, []);

        var op = ParseOperator();
        return Requirement.Create(key, op, op is SelectorOperator.In or SelectorOperator.NotIn ? ParseValues() : [ParseExactValue()]);
    }

    private SelectorOperator ParseOperator()
    {
        var token = Take();
        return token.Text switch
        {
            "in" => SelectorOperator.In,
            "notin" => SelectorOperator.NotIn,
            "=" => SelectorOperator.Equals,
            "==" => SelectorOperator.DoubleEquals,
            "!=" => SelectorOperator.NotEquals,
            ">" => SelectorOperator.GreaterThan,
            "<" => SelectorOperator.LessThan,
            _ => throw new FormatException($"found '{token.Text}', expected: {Operators}"),
        };
    }

    private string ParseExactValue()
    {
        if (Next.Sort == Sort.End || Next.Is(","))
            return string.Empty;
        var token = Take();
        return token.Sort == Sort.Identifier ? token.Text : throw new FormatException($"found '{token.Text}', expected: identifier");
    }

    private List<string> ParseValues()
    {
        var open = Take();
        if (!open.Is("("))
            throw new FormatException($"found '{open.Text}' expected: '('");
        if (Next.Sort != Sort.Identifier && !Next.Is(",") && !Next.Is(")"))
            throw new FormatException($"found '{Next.Text}', expected: ',', ')' or identifier");

        // Empty places count as the empty value: (), (,a), (a,,b), (a,).
        var values = new SortedSet<string>(StringComparer.Ordinal);
        var expectValue = true;
        while (true)
        {
            var token = Take();
            if (token.Sort == Sort.Identifier)
            {
                if (!expectValue)
                    throw new FormatException($"found '{token.Text}', expected: ',' or ')'");
                values.Add(token.Text);
                expectValue = false;
            }
            else if (token.Is(",") || token.Is(")"))
            {
                if (expectValue)
                    values.Add(string.Empty);
                if (token.Is(")"))
                    return [.. values];
                expectValue = true;
            }
            else
            {
                throw new FormatException(expectValue ? $"found '{token.Text}', expected: ',', or identifier" : $"found '{token.Text}', expected: ',' or ')'");
            }
        }
    }

    private readonly record struct Token(Sort Sort, string Text)
    {
        public bool Is(string symbol) => Sort == Sort.Symbol && Text == symbol;
    }
}
