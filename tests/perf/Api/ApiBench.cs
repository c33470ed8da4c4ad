using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>
/// What the API costs over TLS with 16 clients: writes and reads of 1 KB ConfigMaps, lists, watches. Gateway and store are two processes on this machine,
/// the client shares the cores. The right-hand columns are kube-apiserver 1.20 with etcd on this kind of machine (shared RECIPES §9).
/// <c>api --bin DIR [--count N] [--clients N] [--dir DIR]</c>.
/// </summary>
internal static class ApiBench
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private static readonly string s_filler = new('x', 900);

    public static async Task<int> RunAsync(string[] args)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(20));
        var ct = limit.Token;
        var count = Number(args, "--count", 5000);
        var clients = Number(args, "--clients", 16);
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-api-" + Environment.ProcessId);
        var bin = Option(args, "--bin") ?? throw new ArgumentException("--bin: the directory of Mesh.Standalone");
        await using var server = await ApiServer.StartAsync(bin, directory, ct);
        await Task.Delay(3000, ct);
        var idle = server.Resident;
        Console.WriteLine($"{clients} clients, {count} requests a row; CPU: seconds of gateway and store together for 5,000 requests; alloc: bytes of the gateway a request");
        Console.WriteLine($"{"",-30}{"req/s",8}{"p50 ms",9}{"p99 ms",9}{"CPU s",8}{"alloc",9}   {"k8s req/s",10}{"p50/p99",12}{"CPU s",8}{"ratio",8}{"CPU",7}");

        await using var bench = new ApiLoad(server, clients);
        await bench.WarmUpAsync(ct);
        await RowAsync("create", new Peer(1896, "7.5/33.5", 4.32), (wire, i) => wire.SendAsync("POST", Maps, Map(i, "created"), ct), 201);
        await RowAsync("get", new Peer(4180, "3.2/10.3", 1.75), (wire, i) => wire.SendAsync("GET", $"{Maps}/{Name(i)}", default, ct), 200);
        await RowAsync("update", new Peer(1695, "8.0/34.2", 4.83), (wire, i) => wire.SendAsync("PUT", $"{Maps}/{Name(i)}", Map(i, "updated"), ct), 200);
        await RowAsync("merge patch", new Peer(1661, "8.2/31.2", 5.03), (wire, i) => wire.SendAsync("PATCH", $"{Maps}/{Name(i)}", "{\"data\":{\"key\":\"patched\"}}"u8.ToArray(), ct, "application/merge-patch+json"), 200);
        await RowAsync("server-side apply", null, (wire, i) => wire.SendAsync("PATCH", $"{Maps}/{Name(i)}?fieldManager=bench&force=true", Map(i, "applied"), ct, "application/apply-patch+yaml"), 200);
        await ListAsync(server, count, ct);
        await WatchBench.LagAsync(bench, count, ct);
        await RowAsync("delete", new Peer(1506, "9.4/29.9", 5.23), (wire, i) => wire.SendAsync("DELETE", $"{Maps}/{Name(i)}", default, ct), 200);
        foreach (var watchers in (int[])[1, 100, 1000]) await WatchBench.FanOutAsync(server, watchers, ct);
        await IdleAsync(server, idle, ct);
        return 0;

        async Task RowAsync(string what, Peer? peer, Func<HttpWire, int, Task<(int Status, ReadOnlyMemory<byte> Body)>> request, int status)
        {
            var m = await bench.MeasureAsync(count, request, status, ct);
            var line = string.Create(CultureInfo.InvariantCulture, $"{what,-30}{m.Rate,8:F0}{m.P50,9:F2}{m.P99,9:F2}{m.Cpu * 5000 / count,8:F2}{m.Allocated / count,9}");
            if (peer is not null)
                line += string.Create(CultureInfo.InvariantCulture, $"   {peer.Rate,10:F0}{peer.Latency,12}{peer.Cpu,8:F2}{m.Rate / peer.Rate,7:F2}x{m.Cpu * 5000 / count / peer.Cpu,7:F2}");
            Console.WriteLine(line);
        }
    }

    /// <summary>A ConfigMap of 1 KB.</summary>
    public static byte[] Map(int index, string value) =>
        Encoding.UTF8.GetBytes($$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{Name(index)}}","namespace":"default"},"data":{"key":"{{value}}","filler":"{{s_filler}}"} }""");

    public static string Name(int index) => "bench-" + index.ToString("D6", CultureInfo.InvariantCulture);

    private static async Task ListAsync(ApiServer server, int count, CancellationToken ct)
    {
        await using var wire = await HttpWire.ConnectAsync(server, ct);
        foreach (var (what, query, peer) in ((string, string, string)[])[("quorum", "", "120 ms"), ("from cache", "?resourceVersion=0", "66 ms")])
        {
            var times = new List<double>();
            var bytes = 0;
            for (var i = 0; i < 9; i++)
            {
                var clock = Stopwatch.StartNew();
                bytes = (await wire.SendAsync("GET", Maps + query, default, ct)).Body.Length;
                times.Add(clock.Elapsed.TotalMilliseconds);
            }

            times.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{$"list {count}, {what}",-30}{times[4],8:F1} ms, {bytes / 1e6:F1} MB{"",14}k8s {peer}"));
        }

        var pages = Stopwatch.StartNew();
        for (var token = ""; ;)
        {
            var (_, body) = await wire.SendAsync("GET", $"{Maps}?limit=500&continue={token}", default, ct);
            token = System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("metadata").TryGetProperty("continue", out var next) ? Uri.EscapeDataString(next.GetString()!) : "";
            if (token.Length == 0) break;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{$"list {count}, pages of 500",-30}{pages.Elapsed.TotalMilliseconds,8:F1} ms{"",22}k8s 153 ms"));
    }

    private static async Task IdleAsync(ApiServer server, double before, CancellationToken ct)
    {
        var (cpu, written) = (server.Cpu, server.Written);
        await Task.Delay(TimeSpan.FromSeconds(20), ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"resident: {before:F0} MiB at start, {server.Resident:F0} MiB after all this; idle 20 s: {(server.Cpu - cpu) * 5:F2} % of a core, {server.Written - written} bytes written   (k8s idle: etcd 45 + apiserver 328 MiB)"));
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

    private static int Number(string[] args, string name, int otherwise) => Option(args, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private sealed record Peer(double Rate, string Latency, double Cpu);
}
