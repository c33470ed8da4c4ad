using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Perf.Store;

/// <summary>
/// The store and Debian's etcd on the same disk with the same client (<see cref="Http2Wire"/>), taking turns for each row so that a busy moment of the
/// machine meets both; medians of the rounds. Durable 1 KB puts at 1, 16 and 256 callers on one connection (`--connections N` for more), ranges of one
/// and of a thousand keys, events to watchers.
/// `store [--seconds N] [--rounds N] [--connections N] [--peer etcd|none] [--dir DIR] [--watch-events N] [--watch-rate N] [--full] [--only TEXT]`; `--full` is 1,000,000 events.
/// </summary>
internal static class StoreBench
{
    private const int Watchers = 100;
    private static readonly byte[] s_value = [.. Enumerable.Range(0, 1024).Select(i => (byte)('a' + (i % 26)))];

    public static async Task<int> Run(string[] args)
    {
        var seconds = Number(args, "--seconds", 2);
        var rounds = (int)Number(args, "--rounds", 5);
        var connections = (int)Number(args, "--connections", 1);
        var events = args.Contains("--full") ? 1_000_000 : (int)Number(args, "--watch-events", 10_000);
        var rate = (int)Number(args, "--watch-rate", 1000);
        var only = Option(args, "--only") ?? "";
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-store-" + Environment.ProcessId);
        Directory.CreateDirectory(directory);
        var table = new Dictionary<string, Dictionary<string, List<Measure>>>();
        try
        {
            var names = Option(args, "--peer") != "none" && File.Exists("/usr/bin/etcd") ? new[] { "mesh", "etcd" } : ["mesh"];
            var peers = new List<(string Name, ServerProcess Server)>();
            foreach (var name in names) peers.Add((name, await ServerProcess.StartAsync(name, Path.Combine(directory, name))));
            foreach (var (_, server) in peers) await WarmUpAsync(server);
            for (var round = 0; round < rounds; round++)
            {
                foreach (var callers in (int[])[1, 16, 256])
                    await TurnAsync($"put 1 KB, {callers} callers", server => Calls(server, "Put", callers, connections, seconds, (c, i) => Put("p/", (c * 100_000) + (i % 100_000))));
                await TurnAsync("range 1 key, 16 callers", server => Calls(server, "Range", 16, connections, seconds, (_, i) => Get(Key("r/", i % 1000), default)));
                await TurnAsync("range 1000 keys, 4 callers", server => Calls(server, "Range", 4, connections, seconds, (_, _) => Get(ByteString.CopyFromUtf8("r/"), ByteString.CopyFromUtf8("r0"))));
            }

            await TurnAsync($"{events} events to {Watchers} watchers", server => Measured(server, () => WatchLoad.RunAsync(server.Address, Watchers, events, rate)));
            foreach (var (_, server) in peers) await server.DisposeAsync();

            async Task TurnAsync(string what, Func<ServerProcess, Task<Measure>> measure)
            {
                if (!what.Contains(only, StringComparison.Ordinal)) return;
                foreach (var (name, server) in peers)
                {
                    if (!table.TryGetValue(what, out var row)) table.Add(what, row = []);
                    if (!row.TryGetValue(name, out var list)) row.Add(name, list = []);
                    list.Add(await measure(server));
                }
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        Print(table);
        return 0;
    }

    public static ByteString Key(string prefix, int number) => ByteString.CopyFromUtf8(prefix + number.ToString("D8", CultureInfo.InvariantCulture));

    private static async Task WarmUpAsync(ServerProcess server)
    {
        await CallLoad.RunAsync(server.Address, "/etcdserverpb.KV/Put", 16, 1, 2, (c, i) => Put("r/", ((c * 1000) + i) % 1000));
        for (var i = 0; i < 1000; i += 100) await CallLoad.RunAsync(server.Address, "/etcdserverpb.KV/Put", 100, 1, 0.05, (c, _) => Put("r/", i + c));
        await CallLoad.RunAsync(server.Address, "/etcdserverpb.KV/Range", 4, 1, 1, (_, i) => Get(Key("r/", i % 1000), default));
        await CallLoad.RunAsync(server.Address, "/etcdserverpb.KV/Range", 4, 1, 1, (_, _) => Get(ByteString.CopyFromUtf8("r/"), ByteString.CopyFromUtf8("r0")));
    }

    private static byte[] Put(string prefix, int number) => new Pb.PutRequest { Key = Key(prefix, number), Value = UnsafeByteOperations.UnsafeWrap(s_value) }.ToByteArray();

    private static byte[] Get(ByteString key, ByteString? end) => new Pb.RangeRequest { Key = key, RangeEnd = end ?? ByteString.Empty }.ToByteArray();

    private static Task<Measure> Calls(ServerProcess server, string method, int callers, int connections, double seconds, Func<int, int, byte[]> message) =>
        Measured(server, () => CallLoad.RunAsync(server.Address, "/etcdserverpb.KV/" + method, callers, connections, seconds, message));

    private static async Task<Measure> Measured(ServerProcess server, Func<Task<double[]>> load)
    {
        var cpu = server.Cpu;
        using var self = Process.GetCurrentProcess();
        var own = self.TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        var times = await load();
        var elapsed = watch.Elapsed.TotalSeconds;
        self.Refresh();
        return Measure.Of(times, elapsed, server.Cpu - cpu, self.TotalProcessorTime - own);
    }

    private static void Print(Dictionary<string, Dictionary<string, List<Measure>>> table)
    {
        Console.WriteLine($"{"",-34}{"mesh/s",10}{"p50 ms",9}{"p99 ms",9}{"cpu us",9}{"load us",9}   {"etcd/s",10}{"p50 ms",9}{"p99 ms",9}{"cpu us",9}{"load us",9}   ratio");
        foreach (var (what, row) in table)
        {
            var mesh = Measure.Median(row["mesh"]);
            var line = $"{what,-34}{mesh}";
            if (row.TryGetValue("etcd", out var etcd)) line += string.Create(CultureInfo.InvariantCulture, $"   {Measure.Median(etcd)}   {mesh.Rate / Measure.Median(etcd).Rate:F2}");
            Console.WriteLine(line);
        }
    }

    private static double Number(string[] args, string name, double otherwise) => Option(args, name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

/// <summary>Calls a second, latency, and microseconds of CPU a call: the server's and the load's.</summary>
internal readonly record struct Measure(double Rate, double P50, double P99, double CpuMicros, double LoadMicros)
{
    public static Measure Of(double[] milliseconds, double elapsed, TimeSpan cpu, TimeSpan load)
    {
        Array.Sort(milliseconds);
        var count = milliseconds.Length;
        return new Measure(count / elapsed, milliseconds[count / 2], milliseconds[(int)(count * 0.99)], cpu.TotalMicroseconds / count, load.TotalMicroseconds / count);
    }

    /// <summary>The round in the middle by rate.</summary>
    public static Measure Median(List<Measure> rounds) => rounds.OrderBy(m => m.Rate).ElementAt(rounds.Count / 2);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rate,10:F0}{P50,9:F2}{P99,9:F2}{CpuMicros,9:F0}{LoadMicros,9:F0}");
}
