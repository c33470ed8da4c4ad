using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>What a pod takes: containers and sidecars together, or an init container when that is more.</summary>
internal static class PodRequests
{
    /// <summary>The sum of a list ("requests" or "limits") of all containers, without the pod's own and without overhead.</summary>
    public static Dictionary<string, Quantity> Sum(JsonObject? spec, string list = "requests")
    {
        var total = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var (_, container) in spec.Items("containers"))
            Add(total, container.Obj("resources", list));
        var sidecars = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        var peak = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var (_, container) in spec.Items("initContainers"))
        {
            // An init container runs beside the sidecars that came before it.
            var now = new Dictionary<string, Quantity>(sidecars, StringComparer.Ordinal);
            Add(now, container.Obj("resources", list));
            if (container.Str("restartPolicy") == "Always")
            {
                Add(total, container.Obj("resources", list));
                Add(sidecars, container.Obj("resources", list));
            }

            Max(peak, now);
        }

        Max(total, peak);
        return total;
    }

    /// <summary>What the pod takes of a node or a quota: the pod's own list where it has one, plus overhead.</summary>
    public static Dictionary<string, Quantity> Total(JsonObject? spec, string list = "requests")
    {
        var total = Sum(spec, list);
        foreach (var (name, node) in spec.Obj("resources", list) ?? [])
        {
            if (Quantity.TryParse(node?.ToString(), out var own))
                total[name] = own;
        }

        if (list == "requests")
        {
            Add(total, spec.Obj("overhead"));
            return total;
        }

        foreach (var (name, node) in spec.Obj("overhead") ?? [])
        {
            if (total.TryGetValue(name, out var limit) && Quantity.TryParse(node?.ToString(), out var more))
                total[name] = limit + more;
        }

        return total;
    }

    private static void Add(Dictionary<string, Quantity> total, JsonObject? list)
    {
        foreach (var (name, node) in list ?? [])
        {
            if (Quantity.TryParse(node?.ToString(), out var amount))
                total[name] = total.TryGetValue(name, out var sum) ? sum + amount : amount;
        }
    }

    private static void Max(Dictionary<string, Quantity> total, Dictionary<string, Quantity> other)
    {
        foreach (var (name, amount) in other)
        {
            if (!total.TryGetValue(name, out var have) || amount > have)
                total[name] = amount;
        }
    }
}
