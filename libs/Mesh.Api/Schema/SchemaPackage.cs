using System.Collections.Concurrent;
using Mesh.Api.Schema.Text;

namespace Mesh.Api.Schema;

/// <summary>One parsed schema file and the types built from it so far.</summary>
internal sealed class SchemaPackage
{
    private readonly ApiSchema schema;
    private readonly SchemaDocument document;
    private readonly Dictionary<string, TypeText> texts;
    private readonly ConcurrentDictionary<string, TypeSchema> built = new();

    public SchemaPackage(ApiSchema schema, SchemaDocument document)
    {
        this.schema = schema;
        this.document = document;
        texts = document.Types.ToDictionary(t => t.Name);
    }

    public IEnumerable<string> TypeNames => document.Types.Select(t => t.Name);

    public TypeSchema? Find(string name)
    {
        if (built.TryGetValue(name, out var known))
            return known;
        return texts.TryGetValue(name, out var text) ? built.GetOrAdd(name, Build(text)) : null;
    }

    private TypeSchema Build(TypeText text)
    {
        var fields = new List<FieldSchema>(text.Fields.Count + 2);
        var proto = new List<ProtoField>(text.Fields.Count);
        if (text.IsKind)
        {
            fields.Add(new FieldSchema { Name = "kind", Kind = FieldKind.String });
            fields.Add(new FieldSchema { Name = "apiVersion", Kind = FieldKind.String });
        }

        foreach (var line in text.Fields)
        {
            if (line.Inline)
            {
                var inner = Reference(line.TypeName);
                fields.AddRange(inner().Fields);
                proto.Add(new ProtoField { Number = line.Number, Inline = inner });
                continue;
            }

            var field = BuildField(line);
            fields.Add(field);
            if (line.Number > 0)
                proto.Add(new ProtoField { Number = line.Number, Field = field });
        }

        proto.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        return new TypeSchema(document.Package, text.Name, fields)
        {
            IsKind = text.IsKind,
            Atomic = text.Atomic,
            Description = text.Description,
            ProtoFields = [.. proto],
        };
    }

    private FieldSchema BuildField(FieldText line)
    {
        var kind = KindOf(line.TypeName);
        var field = new FieldSchema
        {
            Name = line.Name,
            Kind = kind,
            Shape = line.Shape,
            Number = line.Number,
            Required = line.Required,
            HasPresence = line.Presence,
            Default = line.Default,
            OmitsZero = line.OmitsZero,
            ShowsNull = line.ShowsNull,
            ListType = line.ListType switch { "set" => ListType.Set, "map" => ListType.Map, _ => ListType.Atomic },
            ListMapKeys = line.ListMapKeys,
            MapAtomic = line.MapType == "atomic",
            MapGranular = line.MapType == "granular",
            PatchStrategy = (line.PatchMerge ? PatchStrategy.Merge : 0)
                | (line.PatchRetainKeys ? PatchStrategy.RetainKeys : 0)
                | (line.PatchReplace ? PatchStrategy.Replace : 0),
            PatchMergeKey = line.PatchMergeKey,
            Description = line.Description,
            Resolve = kind == FieldKind.Object ? Reference(line.TypeName) : null!,
        };
        return field;
    }

    private Func<TypeSchema> Reference(string name)
    {
        var dot = name.LastIndexOf('.');
        var package = dot < 0 ? document.Package : name[..dot];
        var type = dot < 0 ? name : name[(dot + 1)..];
        return () => schema.Require(package, type);
    }

    private static FieldKind KindOf(string name) => name switch
    {
        "string" => FieldKind.String,
        "bool" => FieldKind.Bool,
        "int32" => FieldKind.Int32,
        "int64" => FieldKind.Int64,
        "double" => FieldKind.Double,
        "bytes" => FieldKind.Bytes,
        "time" => FieldKind.Time,
        "microTime" => FieldKind.MicroTime,
        "quantity" => FieldKind.Quantity,
        "intOrString" => FieldKind.IntOrString,
        "rawExtension" => FieldKind.RawExtension,
        "fieldsV1" => FieldKind.FieldsV1,
        "json" => FieldKind.Json,
        "strings" => FieldKind.Strings,
        _ => FieldKind.Object,
    };
}
