using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Api.Selectors;

namespace Mesh.Gateway.Storage;

/// <summary>Namespace, name, label and field selection of a list or watch, compiled against a cache's layout.</summary>
internal sealed class EntryFilter
{
    private readonly string? ns;
    private readonly Selector labels;
    private readonly (int Field, string Value, bool IsEqual)[] fields;

    private EntryFilter(string? ns, Selector labels, (int Field, string Value, bool IsEqual)[] fields)
    {
        this.ns = ns;
        this.labels = labels;
        this.fields = fields;
    }

    /// <summary>Whether it is selective beyond the namespace.</summary>
    public bool IsSelective => fields.Length > 0 || !labels.IsEverything;

    /// <summary>The one name that can match, or null.</summary>
    public string? Name { get; private init; }

    /// <summary>Namespace, null or "" for all.</summary>
    public string? Namespace => ns;

    /// <summary>Compiles a filter.</summary>
    /// <exception cref="ApiException">400: a field that the kind cannot be selected by.</exception>
    public static EntryFilter Compile(CacheLayout layout, string? ns, Selector labels, FieldSelector fields)
    {
        var compiled = new (int, string, bool)[fields.Requirements.Count];
        for (var i = 0; i < compiled.Length; i++)
        {
            var requirement = fields.Requirements[i];
            compiled[i] = (FieldIndex(layout, requirement.Field), requirement.Value, requirement.IsEqual);
        }

        return new EntryFilter(string.IsNullOrEmpty(ns) ? null : ns, labels, compiled) { Name = fields.RequiredValue("metadata.name") };
    }

    /// <summary>Whether the object is selected.</summary>
    public bool Matches(CacheEntry entry)
    {
        if (ns is not null && entry.Namespace != ns) return false;
        foreach (var (field, value, isEqual) in fields)
        {
            var equal = field switch { -1 => entry.IsNamed(value), -2 => entry.Namespace == value, _ => entry.Fields[field] == value };
            if (equal != isEqual) return false;
        }

        return labels.IsEverything || labels.Matches(entry);
    }

    private static int FieldIndex(CacheLayout layout, string field)
    {
        if (field == "metadata.name") return -1;
        if (field == "metadata.namespace" && layout.Resource.Namespaced) return -2;
        for (var i = 0; i < layout.FieldNames.Count; i++)
        {
            if (layout.FieldNames[i] == field) return i;
        }

        throw new ApiException(Statuses.BadRequest(
            layout.FieldNames.Count > 0 ? $"field label not supported: {field}" : $"{GoText.Quote(field)} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""));
    }
}
