using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>
/// What the API costs over TLS with 16 clients: writes and reads of 1 KB ConfigMaps, lists, watches. Gateway and store are two processes on this machine,
/// the client shares the cores. Beside it a kube-apiserver with etcd, asked the same in turns, row by row (<c>--peer</c>); without one, what it did on this kind of
/// machine once (shared RECIPES §9). Each figure is the median of the rounds; a ratio is the median of the rounds' ratios.
/// <c>api --bin DIR [--peer KUBE-APISERVER] [--rounds N] [--count N] [--clients N] [--only TEXT] [--dir DIR]</c>; <c>--only</c>: the rows with this in their name, and create and delete.
/// </summary>
internal static class ApiBench
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private static readonly string s_filler = new('x', 900);

    private static readonly Row[] s_rows =
    [
        Writes("create", new(1896, 7.5, 33.5, 4.32), (s, w, i) => w.SendAsync("POST", Maps, Map(i, "created"), s.Cancel), 201),
        Writes("get", new(4180, 3.2, 10.3, 1.75), (s, w, i) => w.SendAsync("GET", $"{Maps}/{Name(i)}", default, s.Cancel)),
        Writes("update", new(1695, 8.0, 34.2, 4.83), (s, w, i) => w.SendAsync("PUT", $"{Maps}/{Name(i)}", Map(i, "updated"), s.Cancel)),
        Writes("merge patch", new(1661, 8.2, 31.2, 5.03), (s, w, i) => w.SendAsync("PATCH", $"{Maps}/{Name(i)}", "{\"data\":{\"key\":\"patched\"}}"u8.ToArray(), s.Cancel, "application/merge-patch+json")),
        Writes("server-side apply", null, (s, w, i) => w.SendAsync("PATCH", $"{Maps}/{Name(i)}?fieldManager=bench&force=true", Map(i, "applied"), s.Cancel, "application/apply-patch+yaml")),
        new("list, quorum", new(double.NaN, 120, double.NaN, double.NaN), s => ListAsync(s, "")),
        new("list, from cache", new(double.NaN, 66, double.NaN, double.NaN), s => ListAsync(s, "?resourceVersion=0")),
        new("list, pages of 500", new(double.NaN, 153, double.NaN, double.NaN), PagesAsync),
        new("watch lag after the answer", new(double.NaN, 1.9, 27.9, double.NaN), s => WatchBench.LagAsync(s.Load, s.Count, s.Cancel)),
        Writes("delete", new(1506, 9.4, 29.9, 5.23), (s, w, i) => w.SendAsync("DELETE", $"{Maps}/{Name(i)}", default, s.Cancel)),
        new("watch fan-out to 1", null, s => WatchBench.FanOutAsync(s, 1)),
        new("watch fan-out to 100", null, s => WatchBench.FanOutAsync(s, 100)),
        new("watch fan-out to 1,000", null, s => WatchBench.FanOutAsync(s, 1000)),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var rounds = Number(args, "--rounds", 1);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10 + 10 * rounds));
        var ct = limit.Token;
        var count = Number(args, "--count", 5000);
        var clients = Number(args, "--clients", 16);
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-api-" + Environment.ProcessId);
        var bin = Option(args, "--bin") ?? throw new ArgumentException("--bin: the directory of Mesh.Standalone");
        await using var mesh = await ApiServer.StartAsync(bin, directory, ct);
        await using var peer = Option(args, "--peer") is { } program ? await KubeApiServer.StartAsync(program, directory + "-peer", ct) : null;
        await Task.Delay(3000, ct);
        ApiTarget[] targets = peer is null ? [mesh] : [mesh, peer];
        var loads = targets.Select(t => new ApiLoad(t, clients)).ToArray();
        var before = targets.Select(t => t.Resident).ToArray();
        foreach (var load in loads) await load.WarmUpAsync(ct);

        Console.WriteLine($"{clients} clients, {count} requests a row, {rounds} rounds; CPU: seconds of all server processes for 5,000 requests (lists: one; events: 5,000 deliveries); alloc: bytes of the API server a request");
        Console.WriteLine($"{"",-28}{"Mesh /s",9}{"p50 ms",9}{"p99 ms",9}{"CPU s",8}{"alloc",9}   {(peer is null ? "k8s then" : "k8s now") + " /s",12}{"p50 ms",9}{"p99 ms",9}{"CPU s",8}{"alloc",9}{"ratio",8}{"CPU",6}");
        var only = Option(args, "--only") ?? "";
        var rows = Array.FindAll(s_rows, r => r.Name is "create" or "delete" || r.Name.Contains(only, StringComparison.Ordinal));
        var measures = rows.Select(_ => targets.Select(_ => new List<ApiMeasure>()).ToArray()).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var row = 0; row < rows.Length; row++)
            {
                for (var i = 0; i < targets.Length; i++) measures[row][i].Add(await rows[row].Measure(new Session(loads[i], count, round, ct)));
                if (round == rounds - 1) Print(rows[row], measures[row]);
            }
        }

        for (var i = 0; i < targets.Length; i++) await IdleAsync(targets[i], before[i], ct);
        foreach (var load in loads) await load.DisposeAsync();
        return 0;
    }

    /// <summary>A ConfigMap of 1 KB.</summary>
    public static byte[] Map(int index, string value) =>
        Encoding.UTF8.GetBytes($$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{Name(index)}}","namespace":"default"},"data":{"key":"{{value}}","filler":"{{s_filler}}"} }""");

    public static string Name(int index) => "bench-" + index.ToString("D6", CultureInfo.InvariantCulture);

    private static Row Writes(string name, ApiMeasure? reference, Func<Session, HttpWire, int, Task<(int Status, ReadOnlyMemory<byte> Body)>> request, int status = 200) =>
        new(name, reference, s => s.Load.MeasureAsync(s.Count, (wire, i) => request(s, wire, i), status, s.Cancel));

    private static void Print(Row row, List<ApiMeasure>[] measures)
    {
        var (mine, other) = (measures[0], measures.Length > 1 ? measures[1] : null);
        var peer = other is null ? row.Reference : Median(other);
        var line = string.Create(CultureInfo.InvariantCulture, $"{row.Name,-28}{Columns(Median(mine))}");
        if (peer is not null)
        {
            double Ratio(Func<ApiMeasure, double> of) => Median(mine.Select((m, i) => of(m) / of(other?[i] ?? peer)));
            var rate = double.IsNaN(peer.Rate) ? 1 / Ratio(m => m.P50) : Ratio(m => m.Rate);
            line += string.Create(CultureInfo.InvariantCulture, $"      {Columns(peer)}{rate,7:F2}x{Number(Ratio(m => m.Cpu), "F2"),6}");
        }

        Console.WriteLine(line);

        static string Columns(ApiMeasure m) => $"{Number(m.Rate, "F0"),9}{Number(m.P50, "F2"),9}{Number(m.P99, "F2"),9}{Number(m.Cpu, "F2"),8}{Number(m.Allocated, "F0"),9}";
        static string Number(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static ApiMeasure Median(List<ApiMeasure> all) =>
        new(Median(all.Select(m => m.Rate)), Median(all.Select(m => m.P50)), Median(all.Select(m => m.P99)), Median(all.Select(m => m.Cpu)), Median(all.Select(m => m.Allocated)));

    private static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted && sorted.Length > 0 ? sorted[sorted.Length / 2] : double.NaN;

    private static async Task<ApiMeasure> ListAsync(Session session, string query)
    {
        await using var wire = await session.Load.ConnectAsync(session.Cancel);
        var times = new List<double>();
        var cpu = session.Load.Target.Cpu;
        for (var i = 0; i < 9; i++)
        {
            var clock = Stopwatch.StartNew();
            await wire.SendAsync("GET", Maps + query, default, session.Cancel);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        return new ApiMeasure(double.NaN, Median(times), times.Max(), (session.Load.Target.Cpu - cpu) / 9);
    }

    private static async Task<ApiMeasure> PagesAsync(Session session)
    {
        await using var wire = await session.Load.ConnectAsync(session.Cancel);
        var cpu = session.Load.Target.Cpu;
        var pages = Stopwatch.StartNew();
        for (var token = ""; ;)
        {
            var (_, body) = await wire.SendAsync("GET", $"{Maps}?limit=500&continue={token}", default, session.Cancel);
            token = System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("metadata").TryGetProperty("continue", out var next) ? Uri.EscapeDataString(next.GetString()!) : "";
            if (token.Length == 0) break;
        }

        return new ApiMeasure(double.NaN, pages.Elapsed.TotalMilliseconds, double.NaN, session.Load.Target.Cpu - cpu);
    }

    private static async Task IdleAsync(ApiTarget target, double before, CancellationToken ct)
    {
        var (cpu, written) = (target.Cpu, target.Written);
        await Task.Delay(TimeSpan.FromSeconds(20), ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target.Name}: resident {before:F0} MiB at start, {target.Resident:F0} MiB after all this; idle 20 s: {(target.Cpu - cpu) * 5:F2} % of a core, {target.Written - written} bytes written"));
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

    private static int Number(string[] args, string name, int otherwise) => Option(args, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>One line of the table, what kube-apiserver 1.20 once did, and how it is measured.</summary>
    private sealed record Row(string Name, ApiMeasure? Reference, Func<Session, Task<ApiMeasure>> Measure);
}

/// <summary>One measurement's surroundings.</summary>
internal sealed record Session(ApiLoad Load, int Count, int Round, CancellationToken Cancel);

/// <summary>
/// What a row of requests took: requests a second, latencies in milliseconds, CPU seconds of the servers for 5,000 requests, bytes the API server allocated a request.
/// NaN is what is not measured.
/// </summary>
internal sealed record ApiMeasure(double Rate, double P50, double P99, double Cpu, double Allocated = double.NaN);
