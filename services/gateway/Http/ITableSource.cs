using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Http;

/// <summary>Columns and cells of a kind's table (meta.k8s.io/v1 Table).</summary>
internal interface ITableSource
{
    /// <summary>TableColumnDefinition objects, fresh for the caller.</summary>
    JsonArray Columns(ApiResource resource);

    /// <summary>The cells of one object, one for each column. Never throws, whatever the object looks like.</summary>
    JsonArray Cells(ApiResource resource, JsonObject obj);
}

/// <summary>The table of kinds that say nothing else: name and creation time.</summary>
internal sealed class NameTable : ITableSource
{
    /// <inheritdoc/>
    public JsonArray Columns(ApiResource resource) =>
    [
        Column("Name", "string", "name", "Name must be unique within a namespace."),
        Column("Created At", "date", "", "When the object was created."),
    ];

    /// <inheritdoc/>
    public JsonArray Cells(ApiResource resource, JsonObject obj) =>
        [Registry.ObjectMetaRules.Text(obj, "name"), Registry.ObjectMetaRules.Text(obj, "creationTimestamp")];

    private static JsonObject Column(string name, string type, string format, string description) =>
        new() { ["name"] = name, ["type"] = type, ["format"] = format, ["description"] = description, ["priority"] = 0 };
}
