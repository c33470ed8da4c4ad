using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tables;

/// <summary>One column: heading, JSON type, shown always or only with -o wide.</summary>
internal sealed record Column(string Name, string Type, string Format, bool Wide)
{
    /// <summary>
    /// Columns of a line such as "Name, Desired#, Age, Selector+": # marks whole numbers, ? truth values, @ times, ! names, + wide columns.
    /// </summary>
    public static Column[] Line(string line) => [.. line.Split(", ").Select(One)];

    /// <summary>The TableColumnDefinition.</summary>
    public JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["type"] = Type,
        ["format"] = Format,
        ["description"] = Name == "Name" ? "Name must be unique within a namespace." : $"{Name} of the object.",
        ["priority"] = Wide ? 1 : 0,
    };

    private static Column One(string text)
    {
        var name = text.TrimEnd('#', '?', '@', '!', '+');
        var marks = text[name.Length..];
        var type = marks.Contains('#') ? "integer" : marks.Contains('?') ? "boolean" : marks.Contains('@') ? "date" : "string";
        return new(name, type, name == "Name" || marks.Contains('!') ? "name" : string.Empty, marks.Contains('+'));
    }
}

/// <summary>How objects of a kind become rows.</summary>
/// <param name="Columns">The columns.</param>
/// <param name="Cells">The cells of an object at a time, one for each column.</param>
internal sealed record TableKind(Column[] Columns, Func<JsonObject, DateTimeOffset, object?[]> Cells);
