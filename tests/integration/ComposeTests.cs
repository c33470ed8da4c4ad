using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mesh.Telemetry;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Mesh.Integration.Tests;

/// <summary>The compose stack and its observability are well-formed and name things that exist. (That the stack runs is proven where an engine is.)</summary>
public sealed partial class ComposeTests
{
    private static readonly string[] s_ours = ["store", "gateway", "scheduler", "controllers", "node-agent", "service-proxy", "dns"];
    private static readonly string s_root = FindRoot();

    [Fact]
    public async Task Docker_compose_accepts_the_file()
    {
        await EnsureComposeAsync();
        var (code, output) = await RunAsync("docker-compose", ["config", "-q"]);
        Assert.True(code == 0, output);
        var (_, services) = await RunAsync("docker-compose", ["config", "--services"]);
        var names = services.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Superset(s_ours.Concat(["kafka", "redis", "prometheus", "grafana", "otel-collector"]).ToHashSet(), names.ToHashSet());
    }

    [Fact]
    public void Every_service_has_an_image_that_starts_its_assembly()
    {
        foreach (var name in s_ours.Append("standalone"))
        {
            var text = File.ReadAllText(Path.Combine(s_root, "deploy", "docker", name + ".Dockerfile"));
            var assembly = EntryAssembly().Match(text).Groups[1].Value;
            Assert.True(File.Exists(Path.Combine(s_root, "services", name, assembly + ".csproj")), $"{name}.Dockerfile starts {assembly}");
            Assert.Contains("FROM ${BASE}", text, StringComparison.Ordinal);
        }
    }

    /// <summary>An unknown variable is nobody's error: a wrong name would be a setting silently not made.</summary>
    [Fact]
    public async Task Every_variable_is_a_setting_of_its_service()
    {
        var (code, help) = await RunAsync("dotnet", [Path.Combine(s_root, "artifacts", "bin", "Mesh.Standalone", "release", "Mesh.Standalone.dll"), "run", "--help"]);
        Assert.True(code == 0, help);
        var settings = new HashSet<string>();
        var service = "";
        foreach (var line in help.Split('\n'))
        {
            if (SectionLine().Match(line) is { Success: true } section) service = section.Groups[1].Value;
            else if (FlagLine().Match(line) is { Success: true } flag)
                settings.Add("MESH_" + ((s_ours.Contains(service) ? service + "_" : "") + flag.Groups[1].Value).Replace('-', '_').Replace('.', '_').ToUpperInvariant());
        }

        var named = VariableLine().Matches(await File.ReadAllTextAsync(Path.Combine(s_root, "docker-compose.yml"))).Select(m => m.Groups[1].Value).ToList();
        Assert.True(named.Count > 30);
        Assert.Equal([], named.Except(settings));
    }

    [Fact]
    public void Mounted_files_exist_and_yaml_and_json_parse()
    {
        foreach (var path in Directory.EnumerateFiles(Path.Combine(s_root, "observability"), "*", SearchOption.AllDirectories))
        {
            if (path.EndsWith(".json", StringComparison.Ordinal)) JsonDocument.Parse(File.ReadAllText(path)).Dispose();
            else if (path.EndsWith(".yml", StringComparison.Ordinal) || path.EndsWith(".yaml", StringComparison.Ordinal)) new YamlStream().Load(File.OpenText(path));
        }
        foreach (Match mount in Mounts().Matches(File.ReadAllText(Path.Combine(s_root, "docker-compose.yml"))))
            Assert.True(Directory.Exists(Path.Combine(s_root, mount.Groups[1].Value)), mount.Value);
    }

    [Fact]
    public void Dashboards_and_alerts_name_metrics_that_every_service_exports()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        using (var registry = new MetricsRegistry(TimeProvider.System)) registry.Write(output);
        var exported = System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
        var texts = Directory.EnumerateFiles(Path.Combine(s_root, "observability", "grafana", "dashboards"), "*.json")
            .Append(Path.Combine(s_root, "observability", "prometheus", "rules.yml")).Select(File.ReadAllText);
        var named = texts.SelectMany(t => Metrics().Matches(t).Select(m => m.Value)).ToHashSet();
        Assert.NotEmpty(named);
        Assert.All(named, n => Assert.Contains("# TYPE " + n + " ", exported, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^([a-z-]+):$")]
    private static partial Regex SectionLine();

    [GeneratedRegex(@"^\s+--(?:[a-z-]+\.)?([a-z0-9-]+)")]
    private static partial Regex FlagLine();

    [GeneratedRegex(@"(?m)^\s+(MESH_[A-Z0-9_]+):")]
    private static partial Regex VariableLine();

    [GeneratedRegex("\"/app/([A-Za-z.]+)\\.dll\"")]
    private static partial Regex EntryAssembly();

    [GeneratedRegex(@"- \./(observability/[a-z/]+):")]
    private static partial Regex Mounts();

    [GeneratedRegex("(process|dotnet)_[a-z_]+")]
    private static partial Regex Metrics();

    private static async Task EnsureComposeAsync()
    {
        if ((await RunAsync("sh", ["-c", "command -v docker-compose"])).Code == 0) return;
        var (_, log) = await RunAsync("sh", ["-c", "(apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-compose) 2>&1"]);
        Assert.True((await RunAsync("sh", ["-c", "command -v docker-compose"])).Code == 0, "docker-compose is missing and apt-get could not install it: " + log);
    }

    private static async Task<(int Code, string Output)> RunAsync(string command, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = s_root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + await errors);
    }

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Mesh.sln"))) directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("no Mesh.sln above the tests");
        return directory;
    }
}
