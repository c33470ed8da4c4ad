using System.Text.Json.Nodes;
using Mesh.Api.Selectors;
using Xunit;

namespace Mesh.Api.Tests.Selectors;

public class SelectorTests
{
    private static readonly Dictionary<string, string> Web = new() { ["app"] = "web", ["tier"] = "front", ["n"] = "5" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web,tier", true)]
    [InlineData("app!=web", false)]
    [InlineData("missing!=x", true)]
    [InlineData("app in (web, db)", true)]
    [InlineData("app notin (web)", false)]
    [InlineData("!missing", true)]
    [InlineData("! app", false)]
    [InlineData("n>4", true)]
    [InlineData("n<5", false)]
    [InlineData("app in (in)", false)]
    [InlineData("app=", false)]
    [InlineData("app in (web,)", true)]
    public void Text_matches(string text, bool expected) => Assert.Equal(expected, Selector.Parse(text).Matches(Web));

    [Theory]
    [InlineData("app=a=b", "found '=', expected: ',' or 'end of string'")]
    [InlineData("app web", "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt")]
    [InlineData("app=web,", "found '', expected: identifier after ','")]
    [InlineData("=x", "found '=', expected: !, identifier, or 'end of string'")]
    [InlineData("app in x", "unable to parse requirement: found 'x' expected: '('")]
    public void Wrong_text_says_where(string text, string message) => Assert.Equal(message, Assert.Throws<FormatException>(() => Selector.Parse(text)).Message);

    [Theory]
    [InlineData("b,a=1", "a=1,b")]
    [InlineData("x in (b,a)", "x in (a,b)")]
    [InlineData("!x", "!x")]
    public void Prints_sorted(string text, string expected) => Assert.Equal(expected, Selector.Parse(text).ToString());

    [Fact]
    public void Objects_match()
    {
        var selector = Selector.FromJson((JsonObject)JsonNode.Parse("""{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"In","values":["front"]}]}""")!);
        Assert.True(selector.Matches(Web));
        Assert.False(Selector.FromJson(null).Matches(Web));
        Assert.True(Selector.FromJson([]).Matches(Web));
    }

    [Fact]
    public void Fields_match()
    {
        var selector = FieldSelector.Parse("metadata.name=x,spec.nodeName!=n1");
        Assert.True(selector.Matches(f => f == "metadata.name" ? "x" : null));
        Assert.False(selector.Matches(f => f == "metadata.name" ? "x" : "n1"));
        Assert.Equal("x", selector.RequiredValue("metadata.name"));
        Assert.Equal("invalid selector: 'a'; can't understand 'a'", Assert.Throws<FormatException>(() => FieldSelector.Parse("a")).Message);
        Assert.True(FieldSelector.Parse("a=b\\,c").Matches(_ => "b,c"));
    }
}
