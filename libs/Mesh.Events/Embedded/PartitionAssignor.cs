namespace Mesh.Events;

/// <summary>
/// Who gets which partition: each topic's partitions in contiguous ranges over the members in order, the first ones taking one more when it
/// does not come out even (Kafka's range assignor). Topics with equally many partitions are cut alike.
/// </summary>
internal static class PartitionAssignor
{
    public static Dictionary<TMember, HashSet<TopicPartition>> Assign<TMember>(
        IReadOnlyList<(TMember Member, IReadOnlyList<string> Topics)> members, Func<string, int> partitionCount)
        where TMember : notnull
    {
        var assignment = members.ToDictionary(static m => m.Member, static _ => new HashSet<TopicPartition>());
        foreach (var topic in members.SelectMany(static m => m.Topics).Distinct(StringComparer.Ordinal))
        {
            var readers = members.Where(m => m.Topics.Contains(topic)).Select(static m => m.Member).ToList();
            var count = partitionCount(topic);
            var (share, rest) = Math.DivRem(count, readers.Count);
            var next = 0;
            for (var i = 0; i < readers.Count; i++)
                for (var end = next + share + (i < rest ? 1 : 0); next < end; next++) assignment[readers[i]].Add(new TopicPartition(topic, next));
        }
        return assignment;
    }
}
