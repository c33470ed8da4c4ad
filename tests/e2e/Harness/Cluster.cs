namespace Mesh.E2E.Tests.Harness;

/// <summary>
/// A cluster as a user starts it, by <c>./mesh up</c>, in a network namespace of its own with its own data directory: it uses the usual
/// ports, meets nothing of the machine's, and goes without a trace.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    public const string NodeIp = "172.31.77.2";
    private static readonly TimeSpan UpLimit = TimeSpan.FromMinutes(10);
    private readonly string id = Guid.NewGuid().ToString("N")[..6];
    private readonly Dictionary<string, string> environment;

    private Cluster()
    {
        DataDir = $"/var/tmp/mesh-{id}";
        environment = new Dictionary<string, string>
        {
            ["KUBECONFIG"] = DataDir + "/kubeconfig",
            ["PATH"] = $"{Tools}:{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin",
            ["HOME"] = DataDir + "/home",
            ["MESH_DATA_DIR"] = DataDir,
        };
    }

    public string DataDir { get; }

    public string Namespace => "mesh-" + id;

    /// <summary>The checkout.</summary>
    public static string Root { get; } = FindRoot();

    public static string Images => Environment.GetEnvironmentVariable("MESH_IMAGES") ?? Root + "/.mesh/images";

    private static string Tools => Environment.GetEnvironmentVariable("MESH_TOOLS") ?? Root + "/.mesh/tools";

    public static async Task<Cluster> StartAsync(string upOptions = "", bool images = true)
    {
        var cluster = new Cluster();
        var ns = cluster.Namespace;
        (await Shell.RunAsync(
            $"set -e; ip netns add {ns}; n='ip -n {ns}'; $n link set lo up; $n link add node0 type veth peer name switch0; $n link set node0 up; $n link set switch0 up; "
            + $"$n addr add {NodeIp}/24 dev node0; $n route add default via 172.31.77.1 dev node0")).Ok();
        try
        {
            await cluster.UpAsync(upOptions);
            if (images)
                (await cluster.ShAsync($"./mesh load {Images}/busybox.tar {Images}/nginx.tar {Images}/redis.tar {Images}/guestbook.tar", TimeSpan.FromMinutes(3))).Ok();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task UpAsync(string options = "") => (await ShAsync($"./mesh up --node-name=node-1 {options}", UpLimit)).Ok();

    /// <summary>Runs a command in the cluster's network, in the checkout, with kubectl and helm on the path.</summary>
    public Task<ShellResult> ShAsync(string command, TimeSpan? limit = null, string? input = null) => Shell.RunAsync(
        $"mkdir -p {DataDir}/home; exec nsenter --net=/run/netns/{Namespace} bash -c {Quote(command)}", limit, input, environment, Root);

    /// <summary>kubectl, which must succeed; its output.</summary>
    public async Task<string> KubectlAsync(string arguments, string? input = null, TimeSpan? limit = null) =>
        (await ShAsync("kubectl " + arguments, limit, input)).Ok();

    /// <summary>Tries until the check holds; fails with the last answer.</summary>
    public async Task<string> UntilAsync(string command, Func<string, bool> holds, TimeSpan? limit = null)
    {
        var end = DateTime.UtcNow + (limit ?? TimeSpan.FromSeconds(60));
        while (true)
        {
            var result = await ShAsync(command, TimeSpan.FromSeconds(30));
            if (result.ExitCode == 0 && holds(result.Output))
                return result.Output;
            Assert.True(DateTime.UtcNow < end, $"`{command}` never held; last ({result.ExitCode}):\n{result.Output}\n{result.Error}\n{await DescribeAsync()}");
            await Task.Delay(200);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ShAsync("./mesh down --purge", TimeSpan.FromMinutes(2));
        await Shell.RunAsync($"ip netns del {Namespace}; rm -rf --one-file-system {DataDir}");
    }

    private async Task<string> DescribeAsync() =>
        (await ShAsync("kubectl get pods,events -A -o wide 2>&1 | tail -40; tail -n 30 $MESH_DATA_DIR/logs/*.log")).Output;

    private static string Quote(string text) => "'" + text.Replace("'", "'\\''") + "'";

    private static string FindRoot()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Mesh.sln")))
            at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("Mesh.sln is in no folder above " + AppContext.BaseDirectory);
        return at;
    }
}

/// <summary>One cluster for all scenarios that leave it as they found it.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public Cluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await Cluster.StartAsync();

    public async Task DisposeAsync()
    {
        if (Cluster is not null)
            await Cluster.DisposeAsync();
    }
}

[CollectionDefinition("cluster")]
public sealed class ClusterCollection : ICollectionFixture<SharedCluster>;
