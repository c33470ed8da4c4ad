using Mesh.Api.Codecs;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class VarintTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(1, "01")]
    [InlineData(127, "7F")]
    [InlineData(128, "8001")]
    [InlineData(300, "AC02")]
    [InlineData(16384, "808001")]
    [InlineData(ulong.MaxValue, "FFFFFFFFFFFFFFFFFF01")]
    public void Values_as_protobuf_writes_them(ulong value, string hex)
    {
        Span<byte> target = stackalloc byte[Varint.MaxSize];
        Assert.Equal(hex, Convert.ToHexString(target[..Varint.Write(target, value)]));
        Assert.Equal(hex.Length / 2, Varint.Size(value));
        Assert.Equal((hex.Length / 2, value), (Varint.Read(Convert.FromHexString(hex + "99"), out var read), read));
    }

    [Fact]
    public void At_every_power_of_two_the_size_is_what_is_written_and_read()
    {
        Span<byte> target = stackalloc byte[Varint.MaxSize];
        for (var bit = 0; bit < 64; bit++)
        {
            foreach (var value in (ulong[])[1UL << bit, (1UL << bit) - 1])
            {
                var size = Varint.Size(value);
                Assert.Equal(size, Varint.Write(target[..size], value));
                Assert.Equal((size, value), (Varint.Read(target[..size], out var read), read));
                Assert.Equal(0, Varint.Read(target[..(size - 1)], out _));
            }
        }
    }

    [Fact]
    public void What_does_not_end_is_refused() => Assert.Equal(-1, Varint.Read(Enumerable.Repeat((byte)0x80, 11).ToArray(), out _));
}
