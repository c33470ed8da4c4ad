using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods.Status;

namespace Mesh.NodeAgent.Pods;

/// <summary>Whether a node has room for what a pod asks for now (KEP-1287). Pure.</summary>
internal static class ResizeRoom
{
    /// <summary>The node can never hold it.</summary>
    public const string Infeasible = "Infeasible";

    /// <summary>The node could hold it, but not beside the pods that are there.</summary>
    public const string Deferred = "Deferred";

    /// <summary>
    /// The condition that says why not; null when there is room. others: the pods that run beside it; allocatable: what the node has for pods.
    /// What the pod has already is never too much.
    /// </summary>
    public static PodCondition? Refusal(Pod pod, IReadOnlyCollection<Pod> others, IReadOnlyDictionary<string, string> allocatable)
    {
        foreach (var name in new[] { "memory", "cpu" })
        {
            var (asked, capacity) = (PodRequests.Asked(pod, name), ResourceMath.Get(allocatable, name));
            if (allocatable.ContainsKey(name) && asked > capacity)
                return Pending(Infeasible, $"Node didn't have enough capacity: {name}, requested: {Units(name, asked)}, capacity: {Units(name, capacity)}");
        }

        foreach (var name in new[] { "cpu", "memory" })
        {
            var (asked, capacity, used) = (PodRequests.Asked(pod, name), ResourceMath.Get(allocatable, name), Quantity.Zero);
            foreach (var other in others)
                used += PodRequests.Given(other, name);
            if (allocatable.ContainsKey(name) && asked + used > capacity && asked > PodRequests.Given(pod, name))
                return Pending(Deferred, $"Node didn't have enough resource: {name}, requested: {Units(name, asked)}, used: {Units(name, used)}, capacity: {Units(name, capacity)}");
        }

        return null;
    }

    private static PodCondition Pending(string reason, string message) => new() { Type = PodConditions.ResizePending, Status = "True", Reason = reason, Message = message };

    // Thousandths of a core, and bytes.
    private static long Units(string name, Quantity amount) => name == "cpu" ? amount.MilliValue : amount.Value;
}
