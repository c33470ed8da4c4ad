using System.Text.Json.Nodes;
using Mesh.Gateway.Authorization;

namespace Mesh.Gateway.Admission;

/// <summary>Two lists of tolerations made one: of two of which one tolerates all that the other does, the wider one stays; of equal ones the first.</summary>
internal static class TolerationMerge
{
    /// <summary>The tolerations of both, the first's first.</summary>
    public static JsonArray Of(IEnumerable<JsonObject> first, IEnumerable<JsonObject> second)
    {
        var all = first.Concat(second).ToArray();
        var kept = new List<JsonObject>();
        for (var i = 0; i < all.Length; i++)
        {
            var one = all[i];
            if (!kept.Any(k => Covers(k, one)) && !all.Skip(i + 1).Any(later => !Same(later, one) && Covers(later, one))) kept.Add(one);
        }

        return new JsonArray([.. kept.Select(static k => k.DeepClone())]);
    }

    private static bool Covers(JsonObject wide, JsonObject narrow)
    {
        if (Same(wide, narrow)) return true;
        var (key, exists, effect) = (wide.Text("key"), wide.Text("operator") == "Exists", wide.Text("effect"));
        if (key != narrow.Text("key") && !(key.Length == 0 && exists)) return false;
        if (effect.Length > 0 && effect != narrow.Text("effect")) return false;
        if (effect == "NoExecute" && wide.Number("tolerationSeconds") is { } seconds && !(narrow.Number("tolerationSeconds") <= seconds)) return false;
        return exists || (wide.Text("operator") is "Equal" or "" && narrow.Text("operator") == "Equal" && wide.Text("value") == narrow.Text("value"));
    }

    private static bool Same(JsonObject a, JsonObject b) =>
        new[] { "key", "operator", "value", "effect" }.All(f => a.Text(f) == b.Text(f)) && a.Number("tolerationSeconds") == b.Number("tolerationSeconds");
}
