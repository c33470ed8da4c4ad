using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>The quality-of-service class of a pod, from what its containers ask for and may use (cpu and memory only).</summary>
internal static class QosClass
{
    private static readonly string[] Counted = ["cpu", "memory"];

    public static string Of(JsonObject spec)
    {
        // Pod-level resources, when given, decide alone.
        var holders = spec.Obj("resources") is { } podLevel && ((podLevel.Obj("requests")?.Count ?? 0) > 0 || (podLevel.Obj("limits")?.Count ?? 0) > 0)
            ? [podLevel]
            : spec.Items("containers").Concat(spec.Items("initContainers")).Select(c => c.Item.Obj("resources")).ToList();

        var asked = false;
        var guaranteed = holders.Count > 0;
        foreach (var resources in holders)
        {
            foreach (var name in Counted)
            {
                var request = Amount(resources.Obj("requests"), name);
                var limit = Amount(resources.Obj("limits"), name);
                asked |= request is not null || limit is not null;
                guaranteed &= limit is { } most && (request ?? most) == most;
            }
        }

        return guaranteed ? "Guaranteed" : asked ? "Burstable" : "BestEffort";
    }

    private static Quantity? Amount(JsonObject? list, string name) =>
        list?[name] is { } node && Quantity.TryParse(node.ToString(), out var amount) && !amount.IsZero ? amount : null;
}
