using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Net.Client;
using Mesh.Rpc;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Perf.Store;

/// <summary>
/// The store and Debian's etcd, one after the other on the same disk with the same client: durable 1 KB puts at 1, 16 and 256 callers, ranges of one and of
/// a thousand keys, watch fan-out. `store [--seconds N] [--peer etcd|none] [--dir DIR]`
/// </summary>
internal static class StoreBench
{
    public static async Task<int> Run(string[] args)
    {
        var seconds = double.Parse(Option(args, "--seconds") ?? "4", CultureInfo.InvariantCulture);
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-store-" + Environment.ProcessId);
        Directory.CreateDirectory(directory);
        var results = new Dictionary<string, Dictionary<string, Measure>>();
        try
        {
            var peers = new List<string> { "mesh" };
            if (Option(args, "--peer") != "none" && File.Exists("/usr/bin/etcd")) peers.Add("etcd");
            // Twice around, so that a busy moment of the machine does not decide for one of them; the better round counts.
            for (var round = 0; round < 2; round++)
            {
                foreach (var name in peers)
                {
                    await using var server = await ServerProcess.StartAsync(name, Path.Combine(directory, name + round));
                    foreach (var (what, measure) in await MeasureAsync(server, seconds))
                    {
                        if (!results.TryGetValue(what, out var row)) results.Add(what, row = []);
                        if (!row.TryGetValue(name, out var best) || measure.Rate > best.Rate) row[name] = measure;
                    }
                }
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        Console.WriteLine($"{"",-28}{"mesh/s",10}{"p50 ms",9}{"p99 ms",9}{"cpu us",9}   {"etcd/s",10}{"p50 ms",9}{"p99 ms",9}{"cpu us",9}   ratio");
        foreach (var (what, row) in results)
        {
            var line = $"{what,-28}{row["mesh"]}";
            if (row.TryGetValue("etcd", out var etcd)) line += string.Create(CultureInfo.InvariantCulture, $"   {etcd}   {row["mesh"].Rate / etcd.Rate:F2}");
            Console.WriteLine(line);
        }

        return 0;
    }

    private static async Task<List<(string, Measure)>> MeasureAsync(ServerProcess server, double seconds)
    {
        var results = new List<(string, Measure)>();
        using var channel = MeshChannel.Create(server.Address);
        var kv = new Pb.KV.KVClient(channel);
        var value = ByteString.CopyFrom(Enumerable.Range(0, 1024).Select(i => (byte)('a' + i % 26)).ToArray());
        await Load(1000, i => kv.PutAsync(new Pb.PutRequest { Key = Key("r/", i), Value = value }).ResponseAsync);
        await Callers(server, 16, 1.5, (c, i) => kv.PutAsync(new Pb.PutRequest { Key = Key("w/", (c * 100_000) + i), Value = value }).ResponseAsync); // warm
        foreach (var callers in (int[])[1, 16, 256])
        {
            results.Add(($"put 1 KB, {callers} callers", await Callers(server, callers, seconds,
                (c, i) => kv.PutAsync(new Pb.PutRequest { Key = Key("p/", (c * 100_000) + i), Value = value }).ResponseAsync)));
        }

        results.Add(("range 1 key, 16 callers", await Callers(server, 16, seconds, (c, i) => kv.RangeAsync(new Pb.RangeRequest { Key = Key("r/", i % 1000) }).ResponseAsync)));
        results.Add(("range 1000 keys, 4 callers", await Callers(server, 4, seconds,
            (_, _) => kv.RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8("r/"), RangeEnd = ByteString.CopyFromUtf8("r0") }).ResponseAsync)));
        results.Add(("watch events to 20 watchers", await WatchFanOut(server, channel, kv, value)));
        return results;
    }

    private static async Task<Measure> Callers(ServerProcess server, int callers, double seconds, Func<int, int, Task> call)
    {
        var cpu = server.Cpu;
        var watch = Stopwatch.StartNew();
        var all = await Task.WhenAll(Enumerable.Range(0, callers).Select(c => Task.Run(async () =>
        {
            var times = new List<double>();
            for (var i = 0; watch.Elapsed.TotalSeconds < seconds; i++)
            {
                var start = Stopwatch.GetTimestamp();
                await call(c, i);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            return times;
        })));
        var elapsed = watch.Elapsed.TotalSeconds;
        return Measure.Of([.. all.SelectMany(t => t)], elapsed, server.Cpu - cpu);
    }

    private static async Task<Measure> WatchFanOut(ServerProcess server, GrpcChannel channel, Pb.KV.KVClient kv, ByteString value)
    {
        const int Watchers = 20, Events = 3000;
        var cpu = server.Cpu;
        using var call = new Pb.Watch.WatchClient(channel).Watch();
        for (var i = 0; i < Watchers; i++)
        {
            await call.RequestStream.WriteAsync(new Pb.WatchRequest
            {
                CreateRequest = new Pb.WatchCreateRequest { Key = ByteString.CopyFromUtf8("e/"), RangeEnd = ByteString.CopyFromUtf8("e0") },
            });
        }

        var sent = new long[Events];
        var lags = new List<double>();
        var created = 0;
        var watching = new TaskCompletionSource();
        var reader = Task.Run(async () =>
        {
            while (lags.Count < Watchers * Events && await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                var reply = call.ResponseStream.Current;
                if (reply.Created && ++created == Watchers) watching.SetResult();
                foreach (var e in reply.Events) lags.Add(Stopwatch.GetElapsedTime(sent[int.Parse(e.Kv.Key.Span[2..], CultureInfo.InvariantCulture)]).TotalMilliseconds);
            }
        });
        await watching.Task;
        var watch = Stopwatch.StartNew();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < Events;)
            {
                sent[i] = Stopwatch.GetTimestamp();
                await kv.PutAsync(new Pb.PutRequest { Key = Key("e/", i), Value = value });
            }
        })));
        await reader;
        return Measure.Of([.. lags], watch.Elapsed.TotalSeconds, server.Cpu - cpu);
    }

    private static async Task Load(int count, Func<int, Task> put)
    {
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;) await put(i);
        })));
    }

    private static ByteString Key(string prefix, int number) => ByteString.CopyFromUtf8(prefix + number.ToString("D8", CultureInfo.InvariantCulture));

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

/// <summary>Calls a second, latency, and the server's CPU microseconds a call.</summary>
internal readonly record struct Measure(double Rate, double P50, double P99, double CpuMicros)
{
    public static Measure Of(double[] milliseconds, double elapsed, TimeSpan cpu)
    {
        Array.Sort(milliseconds);
        return new Measure(milliseconds.Length / elapsed, milliseconds[milliseconds.Length / 2], milliseconds[(int)(milliseconds.Length * 0.99)], cpu.TotalMicroseconds / milliseconds.Length);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rate,10:F0}{P50,9:F2}{P99,9:F2}{CpuMicros,9:F0}");
}
