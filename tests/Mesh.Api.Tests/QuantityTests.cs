using Xunit;

namespace Mesh.Api.Tests;

public class QuantityTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("1000m", "1")]
    [InlineData("0.5", "500m")]
    [InlineData("1.5", "1500m")]
    [InlineData("100000", "100k")]
    [InlineData("1e3", "1e3")]
    [InlineData("1000e0", "1e3")]
    [InlineData("12E6", "12e6")]
    [InlineData("1Gi", "1Gi")]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("0.5Ki", "512")]
    [InlineData("1Ki", "1Ki")]
    [InlineData("0.1n", "1n")]
    [InlineData("-0.1n", "-1n")]
    [InlineData("9223372036854775808", "9223372036854775807")]
    [InlineData("100E", "9223372036854775807")]
    [InlineData("+5", "5")]
    [InlineData(".5", "500m")]
    [InlineData("5.", "5")]
    [InlineData("123456789n", "123456789n")]
    [InlineData("1E", "1E")]
    [InlineData("1e-3", "1e-3")]
    public void Prints_canonically(string text, string expected) => Assert.Equal(expected, Quantity.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("1.2.3")]
    [InlineData("1ki")]
    [InlineData("1 Gi")]
    [InlineData("1KiB")]
    [InlineData("--1")]
    [InlineData(".")]
    public void Refuses_what_is_no_quantity(string text)
    {
        Assert.False(Quantity.TryParse(text, out _, out var error));
        Assert.NotEmpty(error!);
    }

    [Fact]
    public void Wrong_text_names_the_regular_expression() =>
        Assert.Equal("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", Assert.Throws<FormatException>(() => Quantity.Parse("abc")).Message);

    [Theory]
    [InlineData("1500m", 2, 1500)]
    [InlineData("1", 1, 1000)]
    [InlineData("100n", 1, 1)]
    [InlineData("1Gi", 1073741824, 1073741824000)]
    public void Value_and_milli_value_round_up(string text, long value, long milli)
    {
        Assert.Equal(value, Quantity.Parse(text).Value);
        Assert.Equal(milli, Quantity.Parse(text).MilliValue);
    }

    [Fact]
    public void Arithmetic_keeps_the_left_notation()
    {
        Assert.Equal("1536Mi", (Quantity.Parse("1Gi") + Quantity.Parse("512Mi")).ToString());
        Assert.Equal("1Gi", (Quantity.Zero + Quantity.Parse("1Gi")).ToString());
        Assert.True(Quantity.Parse("1") > Quantity.Parse("999m"));
        Assert.Equal(Quantity.Parse("1k"), Quantity.Parse("1000"));
    }
}
