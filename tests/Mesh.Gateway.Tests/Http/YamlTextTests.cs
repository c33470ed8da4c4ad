using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Gateway.Http;
using Mesh.Gateway.Http.Yaml;

namespace Mesh.Gateway.Tests.Http;

/// <summary>YAML as a kube-apiserver writes it (every expectation is its answer), and that what is written is read back.</summary>
public sealed class YamlTextTests
{
    [Theory]
    [InlineData("f:data", "f:data")]
    [InlineData("1s", "1s")]
    [InlineData("a: b", "'a: b'")]
    [InlineData("a:", "'a:'")]
    [InlineData("a #b", "'a #b'")]
    [InlineData("a#b", "a#b")]
    [InlineData("-", "'-'")]
    [InlineData("-a", "-a")]
    [InlineData("--", "--")]
    [InlineData("--- a", "'--- a'")]
    [InlineData("...", "'...'")]
    [InlineData("?a", "?a")]
    [InlineData("? a", "'? a'")]
    [InlineData(":a", ":a")]
    [InlineData("a ", "'a '")]
    [InlineData(" ", "' '")]
    [InlineData("", "\"\"")]
    [InlineData("a\tb", "\"a\\tb\"")]
    [InlineData("y", "\"y\"")]
    [InlineData("NO", "\"NO\"")]
    [InlineData("yEs", "yEs")]
    [InlineData("~", "\"~\"")]
    [InlineData("~a", "~a")]
    [InlineData("Null", "\"Null\"")]
    [InlineData("nUll", "nUll")]
    [InlineData("01", "\"01\"")]
    [InlineData("0x1f", "\"0x1f\"")]
    [InlineData("0xg", "0xg")]
    [InlineData("0b1", "\"0b1\"")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("+1", "\"+1\"")]
    [InlineData("1e3", "\"1e3\"")]
    [InlineData("1e999", "1e999")]
    [InlineData("123456789012345678901234567890", "\"123456789012345678901234567890\"")]
    [InlineData("1:30", "\"1:30\"")]
    [InlineData("80:80", "80:80")]
    [InlineData("2020-01-01", "\"2020-01-01\"")]
    [InlineData("2020-01-01T00:00:00Z", "\"2020-01-01T00:00:00Z\"")]
    [InlineData("20-1-1", "20-1-1")]
    [InlineData("10.0", "\"10.0\"")]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("@a", "'@a'")]
    [InlineData("`a", "'`a'")]
    [InlineData("a@b", "a@b")]
    [InlineData("'a", "'''a'")]
    [InlineData("a'b", "a'b")]
    [InlineData("\"a\"", "'\"a\"'")]
    [InlineData("{}", "'{}'")]
    [InlineData("a{b", "a{b")]
    [InlineData("a, b", "a, b")]
    [InlineData("\\", "\\")]
    [InlineData("=", "=")]
    [InlineData("a\rb", "\"a\\rb\"")]
    [InlineData("é", "é")]
    [InlineData("😀", "\"\\U0001F600\"")]
    [InlineData("k:{\"port\":80,\"protocol\":\"TCP\"}", "k:{\"port\":80,\"protocol\":\"TCP\"}")]
    [InlineData("x\ny", "|-\n  x\n  y")]
    [InlineData("x\n", "|\n  x")]
    [InlineData("x\n\n", "|+\n  x\n")]
    [InlineData("\nx", "|2-\n\n  x")]
    [InlineData(" x\ny", "|2-\n   x\n  y")]
    [InlineData("x \ny", "\"x \\ny\"")]
    [InlineData("x\ny ", "\"x\\ny \"")]
    [InlineData("\n", "|2+\n")]
    public void Strings_are_written_as_by_Kubernetes(string value, string expected)
    {
        var text = Encoding.UTF8.GetString(YamlText.Write(new() { ["s"] = value }));
        Assert.Equal($"s: {expected}\n", text);
        Assert.Equal(value, (string?)Read(text)["s"]);
    }

    [Theory]
    [InlineData("", "word word word word word word word word word word word word word word word word\n  word word")]
    [InlineData("'", "'''word word word word word word word word word word word word word word word word\n  word word'")]
    [InlineData("\t", "\"\\tword word word word word word word word word word word word word word word word\n  word word\"")]
    public void Long_strings_are_folded_at_blanks(string first, string expected)
    {
        var value = first + string.Join(' ', Enumerable.Repeat("word", 18));
        var text = Encoding.UTF8.GetString(YamlText.Write(new() { ["s"] = value }));
        Assert.Equal($"s: {expected}\n", text);
        Assert.Equal(value, (string?)Read(text)["s"]);
    }

    [Fact]
    public void Keys_are_in_the_order_of_people_and_long_ones_have_a_line_of_their_own()
    {
        var map = new JsonObject();
        foreach (var key in (string[])["yes", "b_c", "a2", "bC", "a10", "b-c", "Z", "a01", "-x", "10", "2", new('x', 130)]) map[key] = "v";
        var text = Encoding.UTF8.GetString(YamlText.Write(map));
        Assert.Equal($"-x: v\n\"2\": v\n\"10\": v\nZ: v\na01: v\na2: v\na10: v\nb-c: v\nb_c: v\nbC: v\n? {new string('x', 130)}\n: v\n\"yes\": v\n", text);
        Assert.True(JsonNode.DeepEquals(map, Read(text)));
    }

    [Fact]
    public void Keys_whose_order_goes_in_circles_are_all_written()
    {
        var map = new JsonObject();
        for (var i = 0; i < 300; i++)
        {
            map[$"{i % 3}{(i % 2 == 0 ? "a" : ".")}{i:x}"] = i;
            map[$"0{i}a"] = i;
        }

        Assert.True(JsonNode.DeepEquals(map, Read(Encoding.UTF8.GetString(YamlText.Write(map)))));
    }

    [Fact]
    public void Lists_are_not_indented_and_lists_of_lists_share_a_line()
    {
        var tree = JsonNode.Parse("""{"b":"true","a":1,"c":["x y",{"k":"1","l":""},["p",["q\n"]],[],"m\nn"],"d":{}}""")!.AsObject();
        var text = Encoding.UTF8.GetString(YamlText.Write(tree));
        Assert.Equal("a: 1\nb: \"true\"\nc:\n- x y\n- k: \"1\"\n  l: \"\"\n- - p\n  - - |\n      q\n- []\n- |-\n  m\n  n\nd: {}\n", text);
        Assert.True(JsonNode.DeepEquals(tree, Read(text)));
    }

    [Fact]
    public void Whatever_is_written_is_read_back()
    {
        const string Alphabet = "ab 1:#-?'\"\\\n\t{}[],&*!|>%@`~=.é\u00a0\u0085\u2028\u0001\ufeff";
        var random = new Random(17);
        for (var round = 0; round < 20_000; round++)
        {
            var value = new string([.. Enumerable.Range(0, random.Next(1, round % 10 == 0 ? 200 : 8)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            // The reader takes a star in a plain key for the begin of an alias.
            var key = value.Replace('*', '+');
            var text = Encoding.UTF8.GetString(YamlText.Write(new() { ["k"] = new JsonObject { [key] = new JsonArray(value, 1) } }));
            var read = Read(text)["k"] as JsonObject ?? [];
            Assert.True(read.Count == 1 && read.ContainsKey(key) && (string?)read[key]![0] == value, $"round {round}: {JsonValue.Create(value).ToJsonString()} became\n{text}");
        }
    }

    private static JsonObject Read(string yaml) => JsonNode.Parse(YamlCodec.ToJson(Encoding.UTF8.GetBytes(yaml)))!.AsObject();
}
