using Mesh.Api.Schema.Text;

namespace Mesh.Api.Generator;

/// <summary>All schema files, which of them get classes, and the order of the resource table.</summary>
internal sealed class Universe
{
    private readonly Dictionary<string, (SchemaDocument Document, TypeText Type)> types = [];

    public Universe(IReadOnlyList<SchemaDocument> documents)
    {
        Documents = documents;
        Typed = [.. documents.Where(IsTyped)];
        foreach (var document in documents)
        {
            foreach (var type in document.Types)
            {
                if (!types.TryAdd(document.Package + "." + type.Name, (document, type)))
                    throw new FormatException($"{document.Package}: type {type.Name} is there twice");
            }
        }

        Resources = [.. documents.SelectMany(d => d.Resources.Select(r => (d, r)))];
    }

    public IReadOnlyList<SchemaDocument> Documents { get; }

    /// <summary>Group versions that get C# classes.</summary>
    public IReadOnlyList<SchemaDocument> Typed { get; }

    public IReadOnlyList<(SchemaDocument Document, ResourceText Resource)> Resources { get; }

    public SchemaDocument Document(string package) =>
        Documents.FirstOrDefault(d => d.Package == package) ?? throw new FormatException($"no schema file for package {package}");

    public (SchemaDocument Document, TypeText Type) Resolve(SchemaDocument from, string reference)
    {
        var name = reference.Contains('.') ? reference : from.Package + "." + reference;
        return types.TryGetValue(name, out var found) ? found : throw new FormatException($"{from.Package}: unknown type {reference}");
    }

    /// <summary>The JSON fields of a type: those of inlined types stand in place.</summary>
    public IEnumerable<(SchemaDocument Document, FieldText Field)> Fields(SchemaDocument document, TypeText type)
    {
        foreach (var field in type.Fields)
        {
            if (!field.Inline)
            {
                yield return (document, field);
                continue;
            }

            var (inner, innerType) = Resolve(document, field.TypeName);
            foreach (var each in Fields(inner, innerType))
                yield return each;
        }
    }

    public static string Namespace(SchemaDocument document)
    {
        var parts = document.Package.Split('.');

        // A namespace Mesh.Api.Node would hide the class Node from all code below Mesh.Api.
        var group = parts[0] == "node" ? "NodeRuntime" : Upper(parts[0]);
        return $"Mesh.Api.{group}.{Upper(parts[1])}";
    }

    public static string Upper(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    /// <summary>GA versions that are served, and the webhook protocol. Others are handled by the runtime schema alone.</summary>
    private static bool IsTyped(SchemaDocument document) =>
        document.Version.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0 && (document.Served || document.Package == "admission.v1");
}
