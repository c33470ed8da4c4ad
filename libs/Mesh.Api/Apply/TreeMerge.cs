using System.Text.Json.Nodes;

namespace Mesh.Api.Apply;

/// <summary>Merges what an applier wants into an object: its values count, everything it does not name stays.</summary>
internal static class TreeMerge
{
    /// <summary>Merges config into live, in place. Config keeps its own nodes.</summary>
    public static void Into(ApplyPlan plan, JsonObject live, JsonObject config)
    {
        foreach (var (name, wanted) in config)
        {
            var inner = plan.Kind != PlanKind.Struct ? plan.Item : plan.Find(name)?.Plan ?? plan.Additional ?? ApplyPlan.Deduced;
            switch (inner.Kind)
            {
                case PlanKind.Struct or PlanKind.Map or PlanKind.Deduced when live[name] is JsonObject below && wanted is JsonObject more:
                    Into(inner, below, more);
                    break;
                case PlanKind.Set or PlanKind.Keyed when live[name] is JsonArray list && wanted is JsonArray items:
                    live[name] = Lists(inner, list, items);
                    break;
                default:
                    live[name] = wanted?.DeepClone();
                    break;
            }
        }
    }

    /// <summary>
    /// The applier's items in the applier's order; items it does not name keep their places between the ones that both have. Where the two
    /// orders differ, the applier's counts.
    /// </summary>
    private static JsonArray Lists(ApplyPlan plan, JsonArray live, JsonArray config)
    {
        var wanted = new ListIndex(plan, config);
        var present = new ListIndex(plan, live);
        var merged = new JsonArray();
        var meeting = new Queue<string>(wanted.Names.Where(n => present.Find(n) is not null));
        var next = 0;
        foreach (var item in live.ToArray())
        {
            var name = plan.Name(item);
            if (name is null || wanted.Find(name) is null)
            {
                live.Remove(item);
                merged.Add(item);
            }
            else if (meeting.TryPeek(out var meet) && meet == name)
            {
                meeting.Dequeue();
                while (next < wanted.Names.Count && wanted.Names[next] != name) Take(wanted.Names[next++]);
                Take(wanted.Names[next++]);
            }
        }

        while (next < wanted.Names.Count) Take(wanted.Names[next++]);
        return merged;

        void Take(string name)
        {
            var mine = wanted.Find(name)![0];
            if (present.Find(name) is [JsonObject was] && mine is JsonObject more && plan.Item.Kind != PlanKind.Leaf)
            {
                var copy = (JsonObject)was.DeepClone();
                Into(plan.Item, copy, more);
                merged.Add(copy);
                return;
            }

            merged.Add(mine?.DeepClone());
        }
    }
}
