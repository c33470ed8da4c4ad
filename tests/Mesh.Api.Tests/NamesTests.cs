using Xunit;

namespace Mesh.Api.Tests;

public class NamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("my-name")]
    [InlineData("123-abc")]
    public void Labels(string name) => Assert.Empty(Names.Dns1123Label(name));

    [Fact]
    public void Wrong_labels_say_why()
    {
        Assert.Equal(
            ["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"],
            Names.Dns1123Label("Bad_Name"));
        Assert.Equal(["must not contain dots"], Names.Dns1123Label("a.b"));
        Assert.Equal(["must be no more than 63 bytes"], Names.Dns1123Label(new string('a', 64)));
    }

    [Fact]
    public void Wrong_subdomain_says_why() => Assert.Equal(
        ["a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"],
        Names.Dns1123Subdomain("a..b"));

    [Theory]
    [InlineData("app", true)]
    [InlineData("kubernetes.io/name", true)]
    [InlineData("/name", false)]
    [InlineData("a/b/c", false)]
    [InlineData("a/", false)]
    [InlineData("-a", false)]
    public void Qualified_names(string name, bool valid) => Assert.Equal(valid, Names.QualifiedName(name).Count == 0);

    [Theory]
    [InlineData("http", 0)]
    [InlineData("80", 1)]
    [InlineData("a--b", 1)]
    [InlineData("-a", 1)]
    [InlineData("abcdefghijklmnop", 1)]
    [InlineData("", 2)]
    public void Port_names(string name, int errors) => Assert.Equal(errors, Names.PortName(name).Count);

    [Theory]
    [InlineData("key.name", 0)]
    [InlineData("..", 1)]
    [InlineData("..a", 1)]
    [InlineData("a/b", 1)]
    [InlineData("", 1)]
    public void Config_keys(string name, int errors) => Assert.Equal(errors, Names.ConfigMapKey(name).Count);
}
