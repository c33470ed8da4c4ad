using System.Diagnostics;
using System.Text.Json;

namespace Mesh.Integration.Tests;

/// <summary>What a data directory was prepared with holds until it is told otherwise.</summary>
public sealed class ClusterOptionsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-cluster-options").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_said_once_holds_and_what_can_change_changes()
    {
        Assert.Equal((0, ""), await PrepareAsync("--runtime=hollow", "--node-name=first", "--api-port=7443", "--pod-cidr=10.9.0.0/16"));
        Assert.Equal((0, ""), await PrepareAsync("--dns-port=5353"));
        var saved = Saved();
        Assert.Equal(
            ("hollow", "first", 7443, "10.9.0.0/16", 5353),
            (saved.GetProperty("Runtime").GetString(), saved.GetProperty("NodeName").GetString(), saved.GetProperty("ApiPort").GetInt32(), saved.GetProperty("PodCidr").GetString(), saved.GetProperty("DnsPort").GetInt32()));
        Assert.Equal((0, ""), await PrepareAsync("--api-port=8443"));
        Assert.Equal(8443, Saved().GetProperty("ApiPort").GetInt32());
        Assert.Contains("https://127.0.0.1:8443", await File.ReadAllTextAsync(Path.Combine(_directory, "kubeconfig")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--node-name=second", "error: --node-name second: the cluster in DIR was made with first, which cannot change (./mesh down --purge removes it)\n")]
    [InlineData("--service-cidr=10.7.0.0/16", "error: --service-cidr 10.7.0.0/16: the cluster in DIR was made with 10.96.0.0/16, which cannot change (./mesh down --purge removes it)\n")]
    [InlineData("--runtime=containerd", "error: --runtime containerd: the cluster in DIR was made with hollow, which cannot change (./mesh down --purge removes it)\n")]
    [InlineData("--node-nmae=x", "error: unknown flag: --node-nmae\n")]
    [InlineData("--api-port=x", "error: api-port: ")]
    public async Task What_the_kept_state_was_made_with_cannot_change(string flag, string error)
    {
        Assert.Equal((0, ""), await PrepareAsync("--runtime=hollow", "--node-name=first"));
        var before = Saved().GetRawText();
        var (code, output) = await PrepareAsync(flag);
        Assert.Equal(2, code);
        Assert.StartsWith(error.Replace("DIR", _directory, StringComparison.Ordinal), output, StringComparison.Ordinal);
        Assert.Equal(before, Saved().GetRawText());
    }

    [Fact]
    public async Task Help_makes_nothing()
    {
        var (code, output) = await PrepareAsync("--help");
        Assert.Equal(0, code);
        Assert.Contains("--service-cidr", output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    private JsonElement Saved() => JsonDocument.Parse(File.ReadAllText(Path.Combine(_directory, "cluster.json"))).RootElement;

    private async Task<(int Code, string Output)> PrepareAsync(params string[] flags)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[typeof(ClusterOptionsTests).Assembly.Location[..^"Mesh.Integration.Tests.dll".Length] + "Mesh.Standalone.dll", "prepare", "--data-dir", _directory, .. flags])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + error);
    }
}
