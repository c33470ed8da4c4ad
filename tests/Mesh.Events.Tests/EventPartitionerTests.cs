using System.Text;
using Xunit;

namespace Mesh.Events.Tests;

public sealed class EventPartitionerTests
{
    // Values that Kafka's own Java client documents in its tests for murmur2.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_is_kafkas(string key, int expected) => Assert.Equal(expected, (int)EventPartitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void Keys_spread_over_the_partitions()
    {
        var counts = new int[16];
        for (var i = 0; i < 16_000; i++) counts[EventPartitioner.PartitionOf($"default/pod-{i}", 16)]++;
        Assert.All(counts, c => Assert.InRange(c, 800, 1200));
    }
}
