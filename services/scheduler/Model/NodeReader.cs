using Mesh.Api.Core.V1;

namespace Mesh.Scheduler.Model;

/// <summary>Puts a node into numbers.</summary>
internal static class NodeReader
{
    private const string ZoneLabel = "topology.kubernetes.io/zone";

    public static NodeRow Read(Node node, Vocabulary words)
    {
        var labels = node.Metadata.Labels ?? [];
        var allocatable = node.Status?.Allocatable ?? node.Status?.Capacity ?? [];
        var extended = allocatable.Where(a => ResourceAmounts.IsExtended(a.Key)).ToArray();
        return new NodeRow
        {
            Cpu = ResourceAmounts.Amount("cpu", allocatable.GetValueOrDefault("cpu")),
            Memory = ResourceAmounts.Amount("memory", allocatable.GetValueOrDefault("memory")),
            Ephemeral = ResourceAmounts.Amount("ephemeral-storage", allocatable.GetValueOrDefault("ephemeral-storage")),
            Pods = (int)Math.Min(ResourceAmounts.Amount("pods", allocatable.GetValueOrDefault("pods")), int.MaxValue),
            Zone = words.Zone(labels.GetValueOrDefault(ZoneLabel)),
            Unschedulable = node.Spec?.Unschedulable == true,
            Pairs = [.. labels.Select(l => words.Pair(l.Key, l.Value)), PodBlueprint.NamePair(words, node.Metadata.Name ?? "")],
            Keys = [.. labels.Keys.Select(words.Key)],
            Taints = [.. (node.Spec?.Taints ?? []).Select(t => words.Taint(new TaintKey(t.Key ?? "", t.Value ?? "", t.Effect ?? ""))).Distinct()],
            Extended = [.. extended.Select(e => words.Resource(e.Key))],
            ExtendedAllocatable = [.. extended.Select(e => ResourceAmounts.Amount(e.Key, e.Value))],
        };
    }
}
