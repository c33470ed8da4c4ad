using Mesh.Api.Schema;
using Mesh.Api.Schema.Text;

namespace Mesh.Api.Generator;

/// <summary>How one field looks in C#: its type and the calls that read, write, copy and compare it.</summary>
/// <param name="Declared">Property type.</param>
/// <param name="Read">Call of JsonParts that reads it.</param>
/// <param name="Write">Method of JsonParts that writes it.</param>
/// <param name="Copy">Format of the copy, {0} is the property.</param>
/// <param name="Same">Format of the comparison, {0} and {1} are the two values.</param>
internal sealed record CSharpType(string Declared, string Read, string Write, string Copy, string Same)
{
    private const string J = "JsonParts.";
    private const string C = "CloneParts.";

    public static CSharpType Of(Universe universe, SchemaDocument document, FieldText field) => field.Shape switch
    {
        FieldShape.List => List(universe, document, field),
        FieldShape.Map => Map(universe, document, field),
        _ => Single(universe, document, field),
    };

    private static CSharpType Single(Universe universe, SchemaDocument document, FieldText field)
    {
        var same = field.Presence ? "{0} == {1}" : C + "Same({0}, {1})";
        return field.TypeName switch
        {
            "string" => new("string?", J + "String(ref r)", "Write", "{0}", same),
            "quantity" => new("string?", J + "Quantity(ref r)", "Write", "{0}", C + "SameQuantity({0}, {1})"),
            "bool" => new("bool?", J + "Bool(ref r)", "Write", "{0}", same),
            "int32" => new("int?", J + "Int(ref r)", "Write", "{0}", same),
            "int64" => new("long?", J + "Long(ref r)", "Write", "{0}", same),
            "double" => new("double?", J + "Double(ref r)", "Write", "{0}", same),
            "bytes" => new("byte[]?", J + "Bytes(ref r)", "Write", C + "Copy({0})", C + "Same({0}, {1})"),
            "time" => new("DateTime?", J + "Time(ref r)", "WriteTime", "{0}", "{0} == {1}"),
            "microTime" => new("DateTime?", J + "Time(ref r)", "WriteMicroTime", "{0}", "{0} == {1}"),
            "intOrString" => new("IntOrString?", J + "IntOrString(ref r)", "Write", "{0}", "{0} == {1}"),
            "rawExtension" or "fieldsV1" or "json" => new("JsonNode?", J + "Node(ref r)", "Write", "{0}?.DeepClone()", C + "Same({0}, {1})"),
            "strings" => new("List<string>?", J + "Strings(ref r)", "WriteList", C + "Copy({0})", C + "SameList({0}, {1})"),
            _ => Object(universe, document, field),
        };
    }

    private static CSharpType Object(Universe universe, SchemaDocument document, FieldText field)
    {
        var name = ClassName(universe, document, field.TypeName);
        var same = field.Default == "{}" ? C + "SameStruct({0}, {1})" : name + ".SemanticEquals({0}, {1})";
        return new(name + "?", J + $"Object<{name}>(ref r)", "Write", "{0}?.Clone()", same);
    }

    private static CSharpType List(Universe universe, SchemaDocument document, FieldText field)
    {
        var (item, read) = field.TypeName switch
        {
            "string" => ("string", "Strings"),
            "quantity" => ("string", "Quantities"),
            "int32" => ("int", "Ints"),
            "int64" => ("long", "Longs"),
            "bool" => ("bool", "Bools"),
            "rawExtension" or "json" => ("JsonNode", "Nodes"),
            _ => (ClassName(universe, document, field.TypeName), $"Objects<{ClassName(universe, document, field.TypeName)}>"),
        };
        return new($"List<{item}>?", J + read + "(ref r)", "WriteList", C + "Copy({0})", C + "SameList({0}, {1})");
    }

    private static CSharpType Map(Universe universe, SchemaDocument document, FieldText field)
    {
        var (item, read) = field.TypeName switch
        {
            "string" => ("string", "StringMap"),
            "quantity" => ("string", "QuantityMap"),
            "bytes" => ("byte[]", "BytesMap"),
            "strings" => ("List<string>", "StringsMap"),
            "time" => ("DateTime", "TimeMap"),
            "json" => ("JsonNode", "NodeMap"),
            _ => (ClassName(universe, document, field.TypeName), $"ObjectMap<{ClassName(universe, document, field.TypeName)}>"),
        };
        var same = field.TypeName == "quantity" ? C + "SameQuantities({0}, {1})" : C + "SameMap({0}, {1})";
        return new($"Dictionary<string, {item}>?", J + read + "(ref r)", "WriteMap", C + "Copy({0})", same);
    }

    private static string ClassName(Universe universe, SchemaDocument document, string reference)
    {
        var (home, type) = universe.Resolve(document, reference);
        return $"global::{Universe.Namespace(home)}.{type.Name}";
    }
}
