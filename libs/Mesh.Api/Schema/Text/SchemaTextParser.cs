namespace Mesh.Api.Schema.Text;

/// <summary>Reads the schema notation (Schema/README.md). Throws FormatException with the line number for a line it does not know.</summary>
internal static class SchemaTextParser
{
    private static readonly string[] AllVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public static SchemaDocument Parse(string text)
    {
        var document = new SchemaDocument();
        ResourceText? resource = null;
        TypeText? type = null;
        var number = 0;
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            number++;
            var line = raw.TrimEnd();
            if (line.IsEmpty || line[0] == '#')
                continue;
            var description = TakeDescription(ref line);
            var words = new Words(line);
            if (line[0] == ' ')
            {
                if (words.Peek() is ['/', ..] && resource is not null && type is null)
                    resource.Subresources.Add(ParseSubresource(ref words));
                else if (type is not null)
                    type.Fields.Add(ParseField(ref words, description, number));
                else
                    throw new FormatException($"line {number}: a field outside a type");
                continue;
            }

            switch (words.Next())
            {
                case "package":
                    document.Package = words.Next().ToString();
                    break;
                case "group":
                    document.Group = words.Next().Trim('"').ToString();
                    words.Next();
                    document.Version = words.Next().ToString();
                    document.Served = !words.Next().SequenceEqual("unserved");
                    break;
                case "resource":
                    document.Resources.Add(resource = ParseResource(ref words, number));
                    break;
                case "kind":
                    document.Types.Add(type = ParseType(ref words, description, isKind: true));
                    break;
                case "type":
                    document.Types.Add(type = ParseType(ref words, description, isKind: false));
                    break;
                default:
                    throw new FormatException($"line {number}: unknown statement");
            }
        }

        return document;
    }

    private static string? TakeDescription(ref ReadOnlySpan<char> line)
    {
        var at = line.IndexOf(" -- ");
        if (at < 0)
            return null;
        var description = line[(at + 4)..].Trim().ToString();
        line = line[..at].TrimEnd();
        return description;
    }

    private static TypeText ParseType(ref Words words, string? description, bool isKind) => new()
    {
        Name = words.Next().ToString(),
        IsKind = isKind,
        Atomic = words.Next().SequenceEqual("atomic"),
        Description = description,
    };

    private static ResourceText ParseResource(ref Words words, int line)
    {
        var resource = new ResourceText { Plural = words.Next().ToString(), Kind = words.Next().ToString() };
        for (var word = words.Next(); !word.IsEmpty; word = words.Next())
        {
            if (word.SequenceEqual("namespaced"))
                resource.Namespaced = true;
            else if (word.StartsWith("short="))
                resource.ShortNames = Items(word[6..]);
            else if (word.StartsWith("categories="))
                resource.Categories = Items(word[11..]);
            else if (word.StartsWith("verbs="))
                resource.Verbs = Verbs(word[6..]);
            else if (!word.SequenceEqual("cluster"))
                throw new FormatException($"line {line}: unknown mark {word}");
        }

        return resource;
    }

    private static SubresourceText ParseSubresource(ref Words words)
    {
        var sub = new SubresourceText { Name = words.Next()[1..].ToString(), Kind = words.Next().ToString() };
        var verbs = words.Next();
        sub.Verbs = verbs.StartsWith("verbs=") ? Verbs(verbs[6..]) : [];
        return sub;
    }

    private static FieldText ParseField(ref Words words, string? description, int line)
    {
        var field = new FieldText { Description = description };
        var number = words.Next();
        field.Number = number is "-" ? 0 : int.Parse(number);
        field.Name = words.Next().ToString();
        field.Inline = field.Name == "inline";
        ParseFieldType(words.Next(), field);
        for (var word = words.Next(); !word.IsEmpty; word = words.Next())
        {
            var equals = word.IndexOf('=');
            var value = equals < 0 ? default : word[(equals + 1)..];
            switch (equals < 0 ? word : word[..equals])
            {
                case "default":
                    field.Default = DefaultJson(value, field);
                    break;
                case "omitempty":
                    field.OmitsZero = true;
                    break;
                case "null":
                    field.ShowsNull = true;
                    break;
                case "list":
                    ParseListType(value, field);
                    break;
                case "map":
                    field.MapType = value.ToString();
                    break;
                case "merge":
                    field.PatchMerge = true;
                    field.PatchMergeKey = equals < 0 ? null : value.ToString();
                    break;
                case "retainKeys":
                    field.PatchRetainKeys = true;
                    break;
                case "replace":
                    field.PatchReplace = true;
                    break;
                default:
                    throw new FormatException($"line {line}: unknown mark {word}");
            }
        }

        return field;
    }

    private static void ParseFieldType(ReadOnlySpan<char> type, FieldText field)
    {
        for (; type[^1] is '!' or '?'; type = type[..^1])
        {
            field.Required |= type[^1] == '!';
            field.Presence |= type[^1] == '?';
        }

        if (type.StartsWith("[]"))
        {
            field.Shape = FieldShape.List;
            type = type[2..];
        }
        else if (type.StartsWith("map["))
        {
            field.Shape = FieldShape.Map;
            type = type[4..^1];
        }

        field.TypeName = type.ToString();
    }

    private static void ParseListType(ReadOnlySpan<char> value, FieldText field)
    {
        var open = value.IndexOf('(');
        field.ListType = (open < 0 ? value : value[..open]).ToString();
        if (open >= 0)
            field.ListMapKeys = Items(value[(open + 1)..^1]);
    }

    // A default is written as JSON, except that a plain word needs no quotes.
    private static string DefaultJson(ReadOnlySpan<char> value, FieldText field) =>
        value[0] is '"' or '{' || field.TypeName != "string" ? value.ToString() : $"\"{value}\"";

    private static string[] Verbs(ReadOnlySpan<char> value) => value is "all" ? AllVerbs : Items(value);

    private static string[] Items(ReadOnlySpan<char> value) => value.ToString().Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Words of one line, separated by blanks.</summary>
    private ref struct Words(ReadOnlySpan<char> line)
    {
        private ReadOnlySpan<char> rest = line.TrimStart();

        public readonly ReadOnlySpan<char> Peek() => rest;

        public ReadOnlySpan<char> Next()
        {
            var end = rest.IndexOf(' ');
            var word = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[end..].TrimStart();
            return word;
        }
    }
}
