using System.Text.Json.Nodes;
using Mesh.Api.Selectors;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>Texts that many tables share.</summary>
internal static class Cell
{
    public const string None = "<none>";
    public const string Unknown = "<unknown>";
    public const string Unset = "<unset>";

    /// <summary>Age from metadata.creationTimestamp.</summary>
    public static string Age(JsonObject obj, DateTimeOffset now) => HumanDuration.Since(obj.Obj("metadata").Str("creationTimestamp"), now);

    /// <summary>A number, 0 when absent.</summary>
    public static long Count(JsonObject? obj, string name) => obj.Num(name) ?? 0;

    /// <summary>A text, or a word for its absence.</summary>
    public static string Or(string text, string absent) => text.Length > 0 ? text : absent;

    /// <summary>True, False or unset.</summary>
    public static string Flag(JsonObject? obj, string name) => obj.Has(name) ? Flag(obj.Bool(name)) : Unset;

    /// <summary>True or False.</summary>
    public static string Flag(bool value) => value ? "True" : "False";

    /// <summary>Labels as k=v,k=v.</summary>
    public static string Labels(JsonObject? labels) =>
        Or(string.Join(',', (labels ?? []).Select(p => p.Key + "=" + p.Value).Order(StringComparer.Ordinal)), None);

    /// <summary>A LabelSelector in the selector grammar.</summary>
    public static string Selector(JsonObject? selector)
    {
        try
        {
            return Or(selector is null ? string.Empty : Api.Selectors.Selector.FromJson(selector).ToString(), None);
        }
        catch (FormatException)
        {
            return "<error>";
        }
    }

    /// <summary>Names of a template's containers.</summary>
    public static string Containers(JsonObject? template) => string.Join(',', template.Obj("spec").Items("containers").Select(c => c.Item.Str("name")));

    /// <summary>Images of a template's containers.</summary>
    public static string Images(JsonObject? template) => string.Join(',', template.Obj("spec").Items("containers").Select(c => c.Item.Str("image")));

    /// <summary>Number of items of a list or keys of a map.</summary>
    public static int Size(JsonObject? obj, string name) => obj?[name] switch { JsonArray list => list.Count, JsonObject map => map.Count, _ => 0 };

    /// <summary>A condition's status, "" when absent.</summary>
    public static string Condition(JsonObject? status, string type) =>
        status.Items("conditions").FirstOrDefault(c => c.Item.Str("type") == type).Item.Str("status");
}
