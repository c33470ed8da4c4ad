using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Apply;

/// <summary>How server-side apply sees a value.</summary>
internal enum PlanKind
{
    /// <summary>Owned as a whole: a scalar, an atomic list or map.</summary>
    Leaf,

    /// <summary>An object whose fields are owned one by one.</summary>
    Struct,

    /// <summary>A map whose keys are owned one by one.</summary>
    Map,

    /// <summary>A list of scalars that are owned one by one.</summary>
    Set,

    /// <summary>A list of objects told apart by key fields.</summary>
    Keyed,

    /// <summary>No schema: objects as maps, everything else as a whole.</summary>
    Deduced,
}

/// <summary>
/// The schema compiled for server-side apply: one node for a value, with the text of every step made once. Made when first reached, kept with
/// the type; safe for any number of threads.
/// </summary>
internal sealed class ApplyPlan
{
    private static readonly string[] UntrackedMeta =
        ["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"];

    private FrozenDictionary<string, PlanField>? fields;

    private ApplyPlan(PlanKind kind) => Kind = kind;

    /// <summary>A value without a schema.</summary>
    public static ApplyPlan Deduced { get; } = new(PlanKind.Deduced);

    /// <summary>How the value is owned.</summary>
    public PlanKind Kind { get; }

    /// <summary>What the schema says of the value (null for objects that no field describes).</summary>
    public FieldSchema? Field { get; private init; }

    /// <summary>Type of the object, or of the objects in a list or map; null for scalars.</summary>
    public TypeSchema? Type { get; private init; }

    /// <summary>Key fields of a keyed list, sorted.</summary>
    public string[] Keys { get; private init; } = [];

    /// <summary>Defaults of <see cref="Keys"/>, null where there is none.</summary>
    public JsonNode?[] KeyDefaults { get; private init; } = [];

    /// <summary>Plan of the items of a list or map.</summary>
    public ApplyPlan Item => Kind == PlanKind.Deduced ? this : item ??= MakeItem();

    private ApplyPlan? item;

    /// <summary>The plan of a kind's objects.</summary>
    public static ApplyPlan Of(TypeSchema type) => type.Plan ??= new(PlanKind.Struct) { Type = type, isRoot = true };

    private bool isRoot;
    private bool isRootMeta;

    /// <summary>The metadata of the object itself: every configuration has it, be it for the name.</summary>
    public bool IsObjectMeta => isRootMeta;

    /// <summary>A field of a struct by name; null when there is none.</summary>
    public PlanField? Find(string name)
    {
        fields ??= Type!.Fields.ToFrozenDictionary(static f => f.Name, f => new PlanField(f, this), StringComparer.Ordinal);
        return fields.GetValueOrDefault(name);
    }

    /// <summary>The plan of what stands under a key that is no field of a struct (custom resources); null when nothing may.</summary>
    public ApplyPlan? Additional => Type!.AdditionalProperties is { } values ? additional ??= Of(values, single: false) : Type.PreserveUnknownFields ? Deduced : null;

    private ApplyPlan? additional;

    /// <summary>What a keyed or set list calls an item; null when the item cannot have a name (no object, a key is missing).</summary>
    public string? Name(JsonNode? element)
    {
        if (Kind == PlanKind.Set) return element is JsonValue ? PathElement.Value(element) : null;
        if (element is not JsonObject obj) return null;
        if (Keys.Length == 1) return (obj[Keys[0]] ?? KeyDefaults[0]) is { } only ? PathElement.Key(Keys[0], only) : null;
        var values = new JsonNode?[Keys.Length];
        for (var i = 0; i < Keys.Length; i++)
        {
            if ((values[i] = obj[Keys[i]] ?? KeyDefaults[i]) is null) return null;
        }

        return PathElement.Key(Keys, values);
    }

    /// <summary>The same for an item in bytes.</summary>
    public string? Name(JsonElement element)
    {
        if (Kind == PlanKind.Set)
            return element.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null ? null : PathElement.Value(JsonValue.Create(element));
        if (element.ValueKind != JsonValueKind.Object) return null;
        var values = new JsonNode?[Keys.Length];
        for (var i = 0; i < Keys.Length; i++)
        {
            values[i] = element.TryGetProperty(Keys[i], out var value) ? JsonValue.Create(value) : KeyDefaults[i];
            if (values[i] is null) return null;
        }

        return PathElement.Key(Keys, values);
    }

    internal static ApplyPlan Of(FieldSchema field, ApplyPlan owner)
    {
        // Only the metadata of the object itself has fields of the server; a pod template's are the template's own.
        if (owner.isRoot && field is { Name: "metadata", Kind: FieldKind.Object, Shape: FieldShape.Single })
            return new ApplyPlan(PlanKind.Struct) { Field = field, Type = field.Type, isRootMeta = true };
        return Of(field, single: false);
    }

    internal bool Tracks(FieldSchema field)
    {
        if (isRoot) return field.Name is not ("apiVersion" or "kind");
        return !isRootMeta || !UntrackedMeta.Contains(field.Name);
    }

    private static ApplyPlan Of(FieldSchema field, bool single)
    {
        var shape = single ? FieldShape.Single : field.Shape;
        switch (shape)
        {
            case FieldShape.Map when !field.MapAtomic:
                return new ApplyPlan(PlanKind.Map) { Field = field, Type = field.Type };
            case FieldShape.List when field.ListType == ListType.Set:
                return new ApplyPlan(PlanKind.Set) { Field = field };
            case FieldShape.List when field.ListType == ListType.Map && field.Type is { } items:
                var keys = field.ListMapKeys.Order(StringComparer.Ordinal).ToArray();
                return new ApplyPlan(PlanKind.Keyed)
                {
                    Field = field,
                    Type = items,
                    Keys = keys,
                    KeyDefaults = [.. keys.Select(k => items.Field(k)?.Default is { } text ? JsonNode.Parse(text) : null)],
                };
            case FieldShape.Single when field.Kind == FieldKind.Nested:
                return Of(field.Element!, single: false);
            case FieldShape.Single when field.Kind == FieldKind.RawExtension:
                return new ApplyPlan(PlanKind.Deduced) { Field = field };
            case FieldShape.Single when field.Kind == FieldKind.Object && (field.MapGranular || (!field.MapAtomic && !field.Type!.Atomic)):
                return new ApplyPlan(PlanKind.Struct) { Field = field, Type = field.Type };
            default:
                return new ApplyPlan(PlanKind.Leaf) { Field = field, Type = field.Type };
        }
    }

    private ApplyPlan MakeItem() => Kind switch
    {
        PlanKind.Keyed => Type!.Atomic ? new ApplyPlan(PlanKind.Leaf) { Type = Type } : new ApplyPlan(PlanKind.Struct) { Type = Type },
        PlanKind.Map when Field!.Type is { } type => type.Atomic ? new ApplyPlan(PlanKind.Leaf) { Type = type } : new ApplyPlan(PlanKind.Struct) { Type = type },
        _ => Of(Field!, single: true),
    };
}

/// <summary>A field of a struct.</summary>
internal sealed class PlanField(FieldSchema schema, ApplyPlan owner)
{
    private ApplyPlan? plan;

    /// <summary>What the schema says.</summary>
    public FieldSchema Schema => schema;

    /// <summary>JSON name.</summary>
    public string Name => schema.Name;

    /// <summary>The step of a path that leads here.</summary>
    public string Element { get; } = PathElement.Field(schema.Name);

    /// <summary>Whether anybody can own it; the server's own fields of an object cannot be owned.</summary>
    public bool Tracked { get; } = owner.Tracks(schema);

    /// <summary>Plan of its value.</summary>
    public ApplyPlan Plan => plan ??= ApplyPlan.Of(schema, owner);

    /// <summary>
    /// There in an empty object of Kubernetes' own types (a struct that is no pointer, a list that JSON always shows): a new object does not
    /// own it as such, only what is in it.
    /// </summary>
    public bool InEmpty { get; } = schema.IsValueStruct || schema.ShowsNull || (schema.Required && schema.Shape != FieldShape.Single);
}
