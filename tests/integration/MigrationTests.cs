using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Mesh.Integration.Tests;

/// <summary>A cluster's state moves to Debian's etcd and back: nothing is lost, and no resourceVersion goes back.</summary>
public sealed class MigrationTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-migration").FullName;
    private readonly List<Process> _processes = [];
    private readonly int[] _ports = FreePorts(4);

    private string Cluster => Path.Combine(_directory, "cluster");

    private string Etcd => $"http://127.0.0.1:{_ports[2]}";

    [Fact]
    public async Task The_state_goes_to_etcd_and_back()
    {
        Assert.Equal(0, (await RunAsync("prepare", "--data-dir", Cluster, "--runtime=hollow", "--node-name=n", $"--api-port={_ports[0]}", $"--store-port={_ports[1]}")).Code);
        using var client = Client();
        var services = Start("store", "gateway");
        await ReadyAsync(client);
        for (var i = 0; i < 250; i++)
            Assert.Equal(HttpStatusCode.Created, (await PostAsync(client, Maps, $$$"""{"metadata":{"name":"map-{{{i}}}"},"data":{"index":"{{{i}}}","long":"{{{new string('x', i * 40)}}}"}}""")).StatusCode);
        // An event has a lease in the store.
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(client, "/api/v1/namespaces/default/events", """{"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"reason":"Test"}""")).StatusCode);
        var before = await ListAsync(client);
        Stop(services);

        Launch("etcd", ["--data-dir", Path.Combine(_directory, "etcd"), "--listen-client-urls", Etcd, "--advertise-client-urls", Etcd, "--listen-peer-urls", $"http://127.0.0.1:{_ports[3]}",
            "--initial-advertise-peer-urls", $"http://127.0.0.1:{_ports[3]}", "--initial-cluster", $"default=http://127.0.0.1:{_ports[3]}", "--log-level", "error"]);
        await EtcdReadyAsync();
        // What a try that was killed left behind does not stay, and does not stop the next.
        Assert.Equal(0, (await ShellAsync("etcdctl", "put", "/registry/pods/default/stale", "{}")).Code);
        // That is seen without the cluster's own store, which a running cluster holds.
        var (code, output) = await MigrateAsync(Etcd, "--check");
        Assert.Equal((2, true), (code, output.Contains("already holds the state of a cluster", StringComparison.Ordinal)));
        (code, output) = await MigrateAsync(Etcd);
        Assert.Equal(2, code);
        Assert.Contains("already holds the state of a cluster (1 objects): choose an empty store", output, StringComparison.Ordinal);
        Assert.Equal(0, (await ShellAsync("etcdctl", "put", "/mesh/migration", "begun")).Code);
        (code, output) = await MigrateAsync(Etcd);
        Assert.True(code == 0, output);

        // A snapshot of the old store is not put where nobody would read it.
        var (restored, refusal) = await RunAsync("restore", "--cluster", Cluster, "--snapshot", "any");
        Assert.Equal((2, true), (restored, refusal.Contains($"the cluster is kept in {Etcd}", StringComparison.Ordinal)));

        services = Start("gateway");
        await ReadyAsync(client);
        Same(before, await ListAsync(client));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("/api/v1/namespaces/default/pods/stale", UriKind.Relative))).StatusCode);
        Assert.Equal("1", (await ShellAsync("etcdctl", "lease", "list")).Output.Split('\n').Count(l => l.Length == 16).ToString());
        using var stale = new HttpRequestMessage(HttpMethod.Put, Maps + "/map-7") { Content = Json($$$"""{"metadata":{"name":"map-7","resourceVersion":"{{{Version(before, "map-7")}}}"},"data":{"a":"b"}}""") };
        Assert.Equal(HttpStatusCode.Conflict, (await client.SendAsync(stale)).StatusCode);
        var watch = await client.GetStringAsync($"{Maps}?watch=1&timeoutSeconds=5&resourceVersion={Version(before, "map-249")}");
        Assert.Contains("\"code\":410", watch, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(client, Maps, """{"metadata":{"name":"later"},"data":{"index":"later"}}""")).StatusCode);
        var during = await ListAsync(client);
        Stop(services);

        (code, output) = await MigrateAsync("embedded");
        Assert.True(code == 0, output);
        services = Start("store", "gateway");
        await ReadyAsync(client);
        Same(during, await ListAsync(client));
        Stop(services);
        (code, output) = await MigrateAsync("embedded");
        Assert.Equal((2, true), (code, output.Contains("is kept there already", StringComparison.Ordinal)));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        Stop(_processes);
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    private static void Same(JsonArray before, JsonArray after)
    {
        Assert.Equal(before.Select(o => (o!["metadata"]!["name"]!.ToString(), o["metadata"]!["uid"]!.ToString(), o["data"]?.ToJsonString())), after.Select(o => (o!["metadata"]!["name"]!.ToString(), o["metadata"]!["uid"]!.ToString(), o["data"]?.ToJsonString())));
        var highest = before.Max(o => long.Parse(o!["metadata"]!["resourceVersion"]!.ToString()));
        Assert.All(after, o => Assert.True(long.Parse(o!["metadata"]!["resourceVersion"]!.ToString()) > highest, "a resourceVersion went back"));
    }

    private static string Version(JsonArray list, string name) => list.Single(o => o!["metadata"]!["name"]!.ToString() == name)!["metadata"]!["resourceVersion"]!.ToString();

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body)
    {
        using var content = Json(body);
        return await client.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    private static async Task<JsonArray> ListAsync(HttpClient client) => (await client.GetFromJsonAsync<JsonObject>(Maps))!["items"]!.AsArray();

    private static async Task ReadyAsync(HttpClient client)
    {
        for (var left = 300; left > 0; left--)
        {
            try
            {
                if ((await client.GetAsync(new Uri("/api/v1/namespaces/default", UriKind.Relative))).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // not there yet
            }

            await Task.Delay(200);
        }

        Assert.Fail("the gateway does not answer");
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        listeners.ForEach(l => l.Dispose());
        return ports;
    }

    private async Task EtcdReadyAsync()
    {
        for (var left = 300; left > 0; left--)
        {
            if ((await ShellAsync("etcdctl", "endpoint", "health")).Code == 0) return;
            await Task.Delay(200);
        }

        Assert.Fail("etcd does not answer");
    }

    private HttpClient Client()
    {
        var kubeconfig = File.ReadAllText(Path.Combine(Cluster, "kubeconfig"));
        string Field(string name) => Encoding.ASCII.GetString(Convert.FromBase64String(kubeconfig.Split('\n').Single(l => l.TrimStart().StartsWith(name + ":", StringComparison.Ordinal)).Split(':')[1].Trim()));
        var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPem(Field("client-certificate-data"), Field("client-key-data"))];
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { X509Certificate2.CreateFromPem(Field("certificate-authority-data")) },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{_ports[0]}") };
    }

    private static string Standalone => Path.Combine(AppContext.BaseDirectory, "Mesh.Standalone.dll");

    private List<Process> Start(params string[] services) => [.. services.Select(s => Launch("dotnet", [Standalone, "run", "--services", s, "--cluster", Cluster, "--log-level", "error"]))];

    private Process Launch(string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _processes.Add(process);
        return process;
    }

    private static void Stop(List<Process> processes)
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill();
            process.WaitForExit();
        }
    }

    private Task<(int Code, string Output)> MigrateAsync(string to, params string[] more) => RunAsync(["migrate", "--cluster", Cluster, "--to", to, .. more]);

    private Task<(int Code, string Output)> RunAsync(params string[] arguments) => ShellAsync("dotnet", [Standalone, .. arguments]);

    private async Task<(int Code, string Output)> ShellAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        (start.Environment["ETCDCTL_API"], start.Environment["ETCDCTL_ENDPOINTS"]) = ("3", Etcd);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + error);
    }
}
