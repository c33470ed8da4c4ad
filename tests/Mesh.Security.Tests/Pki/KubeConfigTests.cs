using Mesh.Security.Pki;

namespace Mesh.Security.Tests.Pki;

public sealed class KubeConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(string text)
    {
        var path = Path.Combine(_folder.Path, "config");
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void What_is_written_reads_back()
    {
        var config = new KubeConfig("mesh", "https://h:1", "CA\n", "system:node:a", null, null, "tok");
        Assert.Equal(config, KubeConfig.Load(Write(config.ToYaml())));
    }

    [Fact]
    public void Files_beside_it_are_read()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "ca.pem"), "PEM");
        var config = KubeConfig.Load(Write("""
            current-context: x
            contexts: [{name: x, context: {cluster: c, user: u}}]
            clusters: [{name: c, cluster: {server: "https://a", certificate-authority: ca.pem}}]
            users: [{name: u, user: {token: t}}]
            """));
        Assert.Equal("PEM", config.AuthorityPem);
        Assert.Equal("t", config.Token);
    }

    [Theory]
    [InlineData("a: [", "config")]
    [InlineData("- 1", "not a kubeconfig")]
    [InlineData("a: b", "no current-context")]
    [InlineData("current-context: x", "no context x")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "no cluster c")]
    public void Broken_files_say_what_is_wrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => KubeConfig.Load(Write(text))).Message);
}
