using System.Text.Json.Nodes;

namespace Mesh.Api.Quotas;

/// <summary>What a pod takes: containers and sidecars together, or an init container when that is more.</summary>
public static class PodResources
{
    private static readonly string[] Constrained = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];

    /// <summary>The sum of a list ("requests" or "limits") of all containers of a spec, without the pod's own and without overhead.</summary>
    public static Dictionary<string, Quantity> Sum(JsonObject? spec, string list = "requests")
    {
        var total = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in spec.Each("containers")) Add(total, container.Part("resources", list));
        var sidecars = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        var peak = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in spec.Each("initContainers"))
        {
            // An init container runs beside the sidecars that came before it.
            var now = new Dictionary<string, Quantity>(sidecars, StringComparer.Ordinal);
            Add(now, container.Part("resources", list));
            if (container.Text("restartPolicy") == "Always")
            {
                Add(total, container.Part("resources", list));
                Add(sidecars, container.Part("resources", list));
            }

            foreach (var (name, amount) in now) Raise(peak, name, amount);
        }

        foreach (var (name, amount) in peak) Raise(total, name, amount);
        return total;
    }

    /// <summary>What the pod takes of a node or a quota: the pod's own list where it has one, plus overhead.</summary>
    public static Dictionary<string, Quantity> Total(JsonObject? spec, string list = "requests")
    {
        var total = Sum(spec, list);
        foreach (var (name, own) in spec.Part("resources", list).Amounts()) total[name] = own;
        foreach (var (name, more) in spec.Part("overhead").Amounts())
        {
            // A limit that is not there is not made by overhead.
            if (total.TryGetValue(name, out var have)) total[name] = have + more;
            else if (list == "requests") total[name] = more;
        }

        return total;
    }

    /// <summary>
    /// Whose amounts a quota needs and has not got, in Kubernetes' words ("limits.cpu for: web; requests.cpu for: web"); "" when nothing is missing.
    /// </summary>
    public static string Missing(JsonObject? spec, IEnumerable<string> required)
    {
        var texts = new List<string>();
        foreach (var name in required.Where(Constrained.Contains).Order(StringComparer.Ordinal))
        {
            var (list, key) = name.StartsWith("limits.", StringComparison.Ordinal) ? ("limits", name["limits.".Length..]) : ("requests", name.Replace("requests.", "", StringComparison.Ordinal));
            if (spec.Part("resources", list)?.ContainsKey(key) == true) continue;
            var without = spec.Each("containers").Concat(spec.Each("initContainers")).Where(c => c.Part("resources", list)?.ContainsKey(key) != true).Select(static c => c.Text("name")).ToList();
            if (without.Count > 0) texts.Add($"{name} for: {string.Join(",", without)}");
        }

        return string.Join("; ", texts);
    }

    private static void Add(Dictionary<string, Quantity> total, JsonObject? list)
    {
        foreach (var (name, amount) in list.Amounts()) total[name] = total.TryGetValue(name, out var sum) ? sum + amount : amount;
    }

    private static void Raise(Dictionary<string, Quantity> total, string name, Quantity amount)
    {
        if (!total.TryGetValue(name, out var have) || amount > have) total[name] = amount;
    }
}
