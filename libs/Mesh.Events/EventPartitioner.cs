using System.Buffers.Binary;
using System.Text;

namespace Mesh.Events;

/// <summary>Key to partition: Kafka's own rule (murmur2 of the UTF-8 key, seed 0x9747b28c, sign bit off), so that producers of any language agree.</summary>
public static class EventPartitioner
{
    /// <summary>The partition of a key among so many.</summary>
    public static int PartitionOf(string key, int partitions)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(partitions, 1);
        var length = Encoding.UTF8.GetByteCount(key);
        Span<byte> bytes = length <= 512 ? stackalloc byte[length] : new byte[length];
        Encoding.UTF8.GetBytes(key, bytes);
        return (int)((Murmur2(bytes) & 0x7fffffff) % (uint)partitions);
    }

    internal static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint M = 0x5bd1e995;
        const int R = 24;
        var h = 0x9747b28c ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            k ^= k >> R;
            h = (h * M) ^ (k * M);
            data = data[4..];
        }
        if (data.Length == 3) h ^= (uint)data[2] << 16;
        if (data.Length >= 2) h ^= (uint)data[1] << 8;
        if (data.Length >= 1) h = (h ^ data[0]) * M;
        h ^= h >> 13;
        h *= M;
        return h ^ (h >> 15);
    }
}
