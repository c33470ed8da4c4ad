using Mesh.Client;

namespace Mesh.Scheduler.Sharding;

/// <summary>
/// The key that decides which shard places a pod: its own, or, when other pods bear on its place, that of its namespace. Shards do not see
/// each other's placements before they are bound; so pods that must keep apart, or in balance, are not placed behind each other's backs.
/// </summary>
internal static class ShardKey
{
    public static ObjectKey Of(ObjectKey pod, bool constrained) => constrained ? new ObjectKey(pod.Namespace, "") : pod;
}
