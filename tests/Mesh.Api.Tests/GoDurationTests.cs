using Xunit;

namespace Mesh.Api.Tests;

/// <summary>What Go's documentation of time.ParseDuration promises, and the limits of its 64 bits.</summary>
public class GoDurationTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData("0", 0)]
    [InlineData("+0", 0)]
    [InlineData("-0", 0)]
    [InlineData("7s", 7 * Second)]
    [InlineData("+7s", 7 * Second)]
    [InlineData("-7s", -7 * Second)]
    [InlineData("007s", 7 * Second)]
    [InlineData("7.s", 7 * Second)]
    [InlineData(".25s", Second / 4)]
    [InlineData("2.5m", 150 * Second)]
    [InlineData("20.0600s", 20_060_000_000)]
    [InlineData("21ns", 21)]
    [InlineData("22us", 22_000)]
    [InlineData("22\u00b5s", 22_000)]
    [InlineData("22\u03bcs", 22_000)]
    [InlineData("23ms", 23_000_000)]
    [InlineData("24h", 86_400 * Second)]
    [InlineData("1h15m30.918s", (4530 * Second) + 918_000_000)]
    [InlineData("-1m1.1s", -61_100_000_000)]
    [InlineData("1s1h1s", 3602 * Second)] // in any order, and again
    [InlineData("1.9ns", 1)]
    [InlineData("0.16666666666666666666666h", 600 * Second)] // more decimals than 63 bits hold
    [InlineData("0.500000000000000000000000000m", 30 * Second)]
    [InlineData("36028797018963969ns", (1L << 55) + 1)] // no double is that exact
    [InlineData("9223372036854775807ns", long.MaxValue)]
    [InlineData("2562047h47m16.854775807s", long.MaxValue)]
    [InlineData("-9223372036854775808ns", long.MinValue)]
    [InlineData("-2562047h47m16.854775808s", long.MinValue)]
    public void Durations_are_read(string text, long nanoseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var value, out var error), error);
        Assert.Equal(nanoseconds, value.Nanoseconds);
    }

    [Theory]
    [InlineData("", "time: invalid duration \"\"")]
    [InlineData("-", "time: invalid duration \"-\"")]
    [InlineData("+-5s", "time: invalid duration \"+-5s\"")]
    [InlineData("s", "time: invalid duration \"s\"")]
    [InlineData(".", "time: invalid duration \".\"")]
    [InlineData("-.s", "time: invalid duration \"-.s\"")]
    [InlineData(" 5s", "time: invalid duration \" 5s\"")]
    [InlineData("3", "time: missing unit in duration \"3\"")]
    [InlineData("00", "time: missing unit in duration \"00\"")]
    [InlineData("1h30", "time: missing unit in duration \"1h30\"")]
    [InlineData("1.2.3s", "time: missing unit in duration \"1.2.3s\"")]
    [InlineData("1d", "time: unknown unit \"d\" in duration \"1d\"")]
    [InlineData("5s ", "time: unknown unit \"s \" in duration \"5s \"")]
    [InlineData("1S", "time: unknown unit \"S\" in duration \"1S\"")]
    [InlineData("1h-5m", "time: unknown unit \"h-\" in duration \"1h-5m\"")]
    [InlineData("1\"\\", "time: unknown unit \"\\\"\\\\\" in duration \"1\\\"\\\\\"")]
    [InlineData("1\n\u00e9", "time: unknown unit \"\\x0a\\xc3\\xa9\" in duration \"1\\x0a\\xc3\\xa9\"")]
    [InlineData("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\"")]
    [InlineData("-9223372036854775809ns", "time: invalid duration \"-9223372036854775809ns\"")]
    [InlineData("2562047h47m16.854775808s", "time: invalid duration \"2562047h47m16.854775808s\"")]
    [InlineData("2562048h", "time: invalid duration \"2562048h\"")]
    [InlineData("99999999999999999999999s", "time: invalid duration \"99999999999999999999999s\"")]
    public void Others_are_refused_in_Gos_words(string text, string message)
    {
        Assert.False(GoDuration.TryParse(text, out var value, out var error));
        Assert.Equal((message, 0), (error, value.Nanoseconds));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(-1, -1)]
    [InlineData(100, 1)]
    [InlineData(101, 2)]
    [InlineData(Second, TimeSpan.TicksPerSecond)]
    public void Ticks_are_rounded_away_from_zero(long nanoseconds, long ticks) => Assert.Equal(ticks, new GoDuration(nanoseconds).ToTimeSpan().Ticks);
}
