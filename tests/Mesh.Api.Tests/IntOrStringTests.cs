using System.Text;
using System.Text.Json;
using Xunit;

namespace Mesh.Api.Tests;

public class IntOrStringTests
{
    [Theory]
    [InlineData("25%", 10, true, 3)]
    [InlineData("25%", 10, false, 2)]
    [InlineData("100%", 7, false, 7)]
    [InlineData("0%", 7, true, 0)]
    public void Percentages_scale(string text, int total, bool up, int expected) => Assert.Equal(expected, new IntOrString(text).GetScaledValue(total, up));

    [Fact]
    public void Numbers_do_not_scale() => Assert.Equal(3, new IntOrString(3).GetScaledValue(10, true));

    [Fact]
    public void Other_strings_are_refused() => Assert.Throws<FormatException>(() => new IntOrString("http").GetScaledValue(10, true));

    [Theory]
    [InlineData("80")]
    [InlineData("\"http\"")]
    [InlineData("\"80\"")]
    public void Json_round_trip(string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        var value = IntOrString.ReadJson(ref reader);
        Assert.Equal(json, value.ToNode().ToJsonString());
    }
}
