using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Gateway.OpenApi;

/// <summary>Types of the runtime schema as OpenAPI schemas. A walk collects every type that the first ones reach.</summary>
/// <param name="v3">True for OpenAPI 3 (components, oneOf), false for Swagger 2 (definitions).</param>
internal sealed class SchemaNodes(bool v3)
{
    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    private const string Quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
    private const string IntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    private const string RawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";

    private readonly SortedDictionary<string, JsonObject> schemas = new(StringComparer.Ordinal);

    /// <summary>All schemas collected so far, by name.</summary>
    public JsonObject Collected => new(schemas.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value)));

    /// <summary>A reference to a schema.</summary>
    public JsonObject Ref(string name) => new() { ["$ref"] = (v3 ? "#/components/schemas/" : "#/definitions/") + name };

    /// <summary>Collects a type, and answers a reference to it.</summary>
    public JsonObject Type(TypeSchema type, IReadOnlyList<KindSchema>? kinds = null)
    {
        var name = type.OpenApiName;
        if (schemas.TryGetValue(name, out var known))
        {
            if (kinds is not null && !known.ContainsKey("x-kubernetes-group-version-kind"))
                known["x-kubernetes-group-version-kind"] = GroupVersionKinds(kinds);
            return Ref(name);
        }

        var node = new JsonObject();
        schemas[name] = node; // before its fields: types may reach themselves
        if (type.Description is { } text)
            node["description"] = text;
        node["type"] = "object";
        var required = type.Fields.Where(f => f.Required).Select(f => f.Name).Order(StringComparer.Ordinal).ToList();
        if (required.Count > 0)
            node["required"] = Texts(required);
        var properties = new JsonObject();
        foreach (var field in type.Fields.OrderBy(f => f.Name, StringComparer.Ordinal))
            properties[field.Name] = Field(type, field);
        if (properties.Count > 0)
            node["properties"] = properties;
        if (type.Atomic)
            node["x-kubernetes-map-type"] = "atomic";
        if (kinds is not null)
            node["x-kubernetes-group-version-kind"] = GroupVersionKinds(kinds);
        return Ref(name);
    }

    /// <summary>The schema of patch bodies.</summary>
    public JsonObject Patch() => Common(Meta + "Patch", "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.", new() { ["type"] = "object" });

    /// <summary>One group, version and kind.</summary>
    public static JsonObject GroupVersionKind(string group, string version, string kind) => new() { ["group"] = group, ["kind"] = kind, ["version"] = version };

    private static JsonArray GroupVersionKinds(IReadOnlyList<KindSchema> kinds) => [.. kinds.Select(k => GroupVersionKind(k.Group, k.Version, k.Kind))];

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(t => JsonValue.Create(t))];

    private JsonObject Field(TypeSchema type, FieldSchema field)
    {
        var node = Field(field);
        if (v3 && field is { Kind: FieldKind.String, Shape: FieldShape.Single } && FieldEnums.Of(type.ToString(), field.Name) is { } values)
            node["enum"] = Texts(values);
        return node;
    }

    private JsonObject Field(FieldSchema field)
    {
        var value = Value(field);
        var node = field.Shape switch
        {
            FieldShape.List => new JsonObject { ["type"] = "array", ["items"] = value },
            FieldShape.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = value },
            _ => value,
        };
        return Described(node, field);
    }

    private JsonObject Described(JsonObject node, FieldSchema field)
    {
        // A reference takes no siblings in OpenAPI 3.
        var hasDefault = v3 && field.Default is not null && field.Shape == FieldShape.Single;
        if (v3 && node.ContainsKey("$ref") && (hasDefault || field.Description is not null))
            node = new JsonObject { ["allOf"] = new JsonArray(node) };
        if (field.Description is { } text)
            node["description"] = text;
        if (hasDefault)
            node["default"] = JsonNode.Parse(field.Default!);

        if (field.Shape == FieldShape.List)
        {
            node["x-kubernetes-list-type"] = field.ListType.ToString().ToLowerInvariant();
            if (field.ListType == ListType.Map)
                node["x-kubernetes-list-map-keys"] = Texts(field.ListMapKeys);
        }

        if (field.MapAtomic || field.MapGranular)
            node["x-kubernetes-map-type"] = field.MapAtomic ? "atomic" : "granular";
        if (field.PatchMergeKey is { } key)
            node["x-kubernetes-patch-merge-key"] = key;
        var strategies = new List<string>();
        if (field.PatchStrategy.HasFlag(PatchStrategy.Merge))
            strategies.Add("merge");
        if (field.PatchStrategy.HasFlag(PatchStrategy.RetainKeys))
            strategies.Add("retainKeys");
        if (field.PatchStrategy.HasFlag(PatchStrategy.Replace))
            strategies.Add("replace");
        if (strategies.Count > 0)
            node["x-kubernetes-patch-strategy"] = string.Join(',', strategies);
        return node;
    }

    private JsonObject Value(FieldSchema field) => field.Kind switch
    {
        FieldKind.String => Scalar("string"),
        FieldKind.Bool => Scalar("boolean"),
        FieldKind.Int32 => Scalar("integer", "int32"),
        FieldKind.Int64 => Scalar("integer", "int64"),
        FieldKind.Double => Scalar("number", "double"),
        FieldKind.Bytes => Scalar("string", "byte"),
        FieldKind.Time => Common(Meta + "Time", "A moment, RFC 3339 with whole seconds.", Scalar("string", "date-time")),
        FieldKind.MicroTime => Common(Meta + "MicroTime", "A moment, RFC 3339 with microseconds.", Scalar("string", "date-time")),
        FieldKind.Quantity => Common(Quantity, "An amount: a number with a suffix such as m, k, Mi or G.", v3 ? OneOf("string", "number") : Scalar("string")),
        FieldKind.IntOrString => Common(IntOrString, "A number or a string.", v3 ? OneOf("integer", "string", "int-or-string") : Scalar("string", "int-or-string")),
        FieldKind.RawExtension => Common(RawExtension, "Any object.", Scalar("object")),
        FieldKind.FieldsV1 => Common(Meta + "FieldsV1", "A set of fields: f:NAME of an object, k:KEYS or v:VALUE of a list, . for the value itself.", Scalar("object")),
        FieldKind.Strings => new() { ["type"] = "array", ["items"] = Scalar("string") },
        FieldKind.Object => Type(field.Type!),
        FieldKind.Nested => Field(field.Element!),
        _ => [],
    };

    private JsonObject Common(string name, string description, JsonObject schema)
    {
        if (!schemas.ContainsKey(name))
        {
            schema["description"] = description;
            schemas[name] = schema;
        }

        return Ref(name);
    }

    private static JsonObject Scalar(string type, string? format = null)
    {
        var node = new JsonObject { ["type"] = type };
        if (format is not null)
            node["format"] = format;
        return node;
    }

    private static JsonObject OneOf(string first, string second, string? format = null)
    {
        var node = new JsonObject { ["oneOf"] = new JsonArray(Scalar(first), Scalar(second)) };
        if (format is not null)
            node["format"] = format;
        return node;
    }
}
