using System.ComponentModel;
using Xunit;

namespace Mesh.Hosting.Tests;

public sealed class SettingsTests
{
    [Fact]
    public void Names_and_types_bind_from_flags()
    {
        var options = Bind([
            "--data-dir", "/d", "--port=8080", "--verbose", "--interval", "1m30s", "--cluster-ip-range=10.0.0.0/8", "--peers", "a,b", "--peers=c",
            "--labels", "k=v,x=y=z", "--mode", "read-only", "--tls-cert-file", "/c", "--ratio", "0.5"]);
        Assert.Equal("/d", options.DataDir);
        Assert.Equal(8080, options.Port);
        Assert.True(options.Verbose);
        Assert.Equal(TimeSpan.FromSeconds(90), options.Interval);
        Assert.Equal("10.0.0.0/8", options.ClusterIPRange);
        Assert.Equal(["a", "b", "c"], options.Peers);
        Assert.Equal(new Dictionary<string, string> { ["k"] = "v", ["x"] = "y=z" }, options.Labels);
        Assert.Equal(Mode.ReadOnly, options.Mode);
        Assert.Equal("/c", options.Tls.CertFile);
        Assert.Equal(0.5, options.Ratio);
    }

    [Fact]
    public void Flags_win_over_environment_over_file_over_defaults()
    {
        const string File = "port: 3\nstore:\n  dataDir: file\n  interval: 5s\n  tls: {certFile: file}\n  labels: {a: b}\n  peers: [x, y]\n";
        var options = Bind(["--data-dir=flag"], new() { ["MESH_STORE_DATA_DIR"] = "env", ["MESH_STORE_INTERVAL"] = "7s" }, File, ("verbose", "true"), ("port", "9"));
        Assert.Equal("flag", options.DataDir);
        Assert.Equal(TimeSpan.FromSeconds(7), options.Interval);
        Assert.Equal("file", options.Tls.CertFile);
        Assert.Equal(new Dictionary<string, string> { ["a"] = "b" }, options.Labels);
        Assert.Equal(["x", "y"], options.Peers);
        Assert.Equal(3, options.Port);
        Assert.True(options.Verbose);
    }

    [Fact]
    public void Beside_other_services_a_flag_needs_its_section()
    {
        var source = new SettingsSource();
        source.AddFlags(["--store.data-dir", "/s", "--data-dir", "/root"]);
        Assert.Equal("/s", new SettingsSection(source, "store", alsoRoot: false).Bind<Options>().DataDir);
        Assert.Equal("/var", new SettingsSection(source, "gateway", alsoRoot: false).Bind<Options>().DataDir);
        Assert.Equal(["--data-dir"], source.UnusedFlags());
    }

    [Fact]
    public async Task The_process_may_bind_its_own_options_before_the_services_are_added()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "data-dir: /root\nworker:\n  data-dir: /worker\n");
            var builder = MeshHost.CreateBuilder(["--config", file, "--port", "7"]).UseEnvironment([]);
            var mine = builder.Bind<Options>();
            Assert.Equal(("/root", 7), (mine.DataDir, mine.Port));
            var worker = new Worker();
            await using var host = builder.Add(worker).Add(new Other()).Set("worker", "verbose", "true").Build();
            Assert.Equal(("/worker", true), (worker.Bound!.DataDir, worker.Bound.Verbose));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("--port=many", "store.port: \"many\" is no Int32")]
    [InlineData("--port=99999999999", "store.port: \"99999999999\" is no Int32")]
    [InlineData("--interval=5", "store.interval: \"5\" is no duration (write 30s, 1m30s, 250ms)")]
    [InlineData("--interval=5x", "store.interval: \"5x\" is no duration (write 30s, 1m30s, 250ms)")]
    [InlineData("--verbose=maybe", "store.verbose: \"maybe\" is neither true nor false")]
    [InlineData("--mode=other", "store.mode: \"other\" is none of read-only, read-write")]
    [InlineData("--labels=a", "store.labels: \"a\" is not of the form key=value")]
    public void Wrong_values_are_named(string flag, string message) => Assert.Equal(message, Assert.Throws<SettingsException>(() => Bind([flag])).Message);

    [Fact]
    public void Stray_arguments_and_broken_files_are_refused()
    {
        Assert.Throws<SettingsException>(() => Bind(["stray"]));
        Assert.Throws<SettingsException>(() => Bind([], file: "a: [1,"));
        Assert.Throws<SettingsException>(() => Bind([], file: "- a\n- b"));
    }

    [Theory]
    [InlineData("1h2m3.5s", 3723.5)]
    [InlineData("250ms", 0.25)]
    [InlineData("-10s", -10)]
    [InlineData("00:01:00", 60)]
    [InlineData("0", 0)]
    public void Durations(string text, double seconds) => Assert.Equal(seconds, SettingValue.ParseDuration(text).TotalSeconds, 6);

    [Fact]
    public void Names_in_the_file_that_nothing_has_are_known()
    {
        var source = new SettingsSource();
        source.AddFile(new StringReader("store:\n  dataDir: d\n  labels: {a: b}\n  tls: {certFile: c}\n  dataDri: wrong\nport: 1\n"), "test.yaml");
        new SettingsSection(source, "store", alsoRoot: true).Bind<Options>();
        Assert.Equal(["storedatadri"], source.UnusedFileNames());
    }

    private static Options Bind(string[] flags, Dictionary<string, string>? environment = null, string? file = null, params (string, string)[] defaults)
    {
        var source = new SettingsSource();
        source.AddFlags(flags);
        source.AddEnvironment(environment ?? []);
        if (file is not null) source.AddFile(new StringReader(file), "test.yaml");
        foreach (var (key, value) in defaults) source.SetDefault("store", key, value);
        return new SettingsSection(source, "store", alsoRoot: true).Bind<Options>();
    }

    private sealed class Worker : IMeshService
    {
        public string Name => "worker";

        public Options? Bound { get; private set; }

        public void Configure(MeshServiceBuilder builder) => Bound = builder.Bind<Options>();
    }

    private sealed class Other : IMeshService
    {
        public string Name => "other";

        public void Configure(MeshServiceBuilder builder) => builder.Bind<Options>();
    }

    private enum Mode
    {
        ReadOnly,
        ReadWrite,
    }

    private sealed class Tls
    {
        public string CertFile { get; set; } = "";
    }

    private sealed class Options
    {
        [Description("where data is")]
        public string DataDir { get; set; } = "/var";

        public int Port { get; set; }

        public bool Verbose { get; set; }

        public TimeSpan Interval { get; set; }

        public string ClusterIPRange { get; set; } = "";

        public IReadOnlyList<string> Peers { get; set; } = [];

        public Dictionary<string, string> Labels { get; set; } = [];

        public Mode Mode { get; set; }

        public double? Ratio { get; set; }

        public Tls Tls { get; } = new();
    }
}
