using System.Diagnostics;
using System.Globalization;
using Mesh.Perf.Api;
using Mesh.Perf.Store;

namespace Mesh.Perf.Memory;

/// <summary>
/// Resident memory of gateway and store, as two processes and as one, with the objects of a cluster in them: idle, 1,000 nodes and 5,000 pods as nodes report
/// them (through the API, status and managedFields and all), 100,000 pods (the further ones are put into the store as copies with their own names, ids and
/// addresses), while a full list is read, and after a quiet time.
/// <c>memory --bin DIR [--mode one|two|both] [--pods N] [--quiet SECONDS] [--dir DIR] [--encodings]</c>: with the last, the full list is read in every encoding, twice,
/// and five hundred pods of it.
/// </summary>
internal static class MemoryBench
{
    private const int Nodes = 1000;
    private const int First = 5000;
    private const string Core = "/api/v1";

    private static readonly (string Accept, string Query)[] s_encodings =
    [
        ("application/json", ""), ("application/vnd.kubernetes.protobuf", ""), ("application/json;as=Table;g=meta.k8s.io;v=v1", ""), ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ""),
        ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ""), ("application/yaml", ""), ("application/json", "&pretty=true"),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(20));
        var bin = Option(args, "--bin") ?? throw new ArgumentException("--bin: the directory of Mesh.Standalone");
        var pods = int.Parse(Option(args, "--pods") ?? "100000", CultureInfo.InvariantCulture);
        var quiet = TimeSpan.FromSeconds(double.Parse(Option(args, "--quiet") ?? "60", CultureInfo.InvariantCulture));
        var directory = Option(args, "--dir") ?? Path.Combine(Directory.GetCurrentDirectory(), "bench-memory-" + Environment.ProcessId);
        Console.WriteLine("MiB; rss: sum over the processes; once: pages they share counted once; peak: highest rss since the row before; of each process: heap in use / committed / fragmented / large objects");
        Console.WriteLine($"{"",-44}{"rss",6}{"once",6}{"peak",6}   heaps (store + gateway)");
        foreach (var mode in (Option(args, "--mode") ?? "both") is "both" and var both ? (string[])["two", "one"] : [Option(args, "--mode")!])
            await MeasureAsync(bin, directory, mode, pods, quiet, args, limit.Token);
        Console.WriteLine("kube-apiserver 1.20 + etcd 3.4 on this kind of machine: 328 + 45 idle, 686 + 114 with 1,000 nodes and 5,000 pods; asked: 120 idle, 200, and 1,024 with 100,000 pods");
        return 0;
    }

    private static async Task MeasureAsync(string bin, string directory, string mode, int pods, TimeSpan quiet, string[] args, CancellationToken ct)
    {
        var metrics = ServerProcess.FreePort();
        await using var server = await ApiServer.StartAsync(
            bin, directory, mode == "one" ? ["store,gateway"] : ["store", "gateway"], [$"--store.metrics-listen=http://127.0.0.1:{metrics}"], ct);
        using var probe = new MemoryProbe(server, mode == "one" ? null : metrics);
        Console.WriteLine(mode == "one" ? "one process" : "two processes");
        await Task.Delay(TimeSpan.FromSeconds(5), ct);
        await probe.TellAsync("idle", ct);

        await using var load = new ApiLoad(server, 8);
        await load.ConnectAllAsync(ct);
        await using (var wire = await HttpWire.ConnectAsync(server, ct)) await wire.SendAsync("POST", Core + "/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}"""u8.ToArray(), ct);
        await using var watchers = await Watchers.OpenAsync(server, [Core + "/nodes?watch=true", Core + "/pods?watch=true", Core + "/pods?watch=true&labelSelector=app%3Dshop-3", Core + "/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-7"], ct);
        var objects = new ClusterObjects(Nodes);
        var nodes = Math.Min(Nodes, Math.Max(1, pods / 5));
        var first = Math.Min(First, pods);
        await load.MeasureAsync(nodes, (w, i) => w.SendAsync("POST", Core + "/nodes", objects.Node(i), ct), 201, ct);
        await load.MeasureAsync(nodes, (w, i) => w.SendAsync("PATCH", $"{Core}/nodes/{ClusterObjects.NodeName(i)}/status?fieldManager=kubelet", objects.NodeStatus(i), ct, "application/merge-patch+json"), 200, ct);
        var m = await load.MeasureAsync(first, (w, i) => w.SendAsync("POST", $"{Core}/namespaces/default/pods?fieldManager=kube-controller-manager", objects.Pod(i), ct), 201, ct);
        await load.MeasureAsync(first, (w, i) => w.SendAsync("PATCH", $"{Core}/namespaces/default/pods/{ClusterObjects.PodName(i)}/status?fieldManager=kubelet", objects.PodStatus(i), ct, "application/merge-patch+json"), 200, ct);
        await probe.TellAsync(string.Create(CultureInfo.InvariantCulture, $"{nodes} nodes, {first} pods ({m.Rate:F0} creates/s)"), ct);
        await ListAsync(server, probe, ct);
        await Task.Delay(TimeSpan.FromSeconds(15), ct);
        await probe.TellAsync("15 s later", ct);
        if (pods > first)
        {
            var clock = Stopwatch.StartNew();
            var put = await StoreLoad.CopyPodsAsync(server, first, pods, objects, ct);
            await probe.TellAsync(string.Create(CultureInfo.InvariantCulture, $"{pods} pods of {put.Bytes / put.Count} bytes ({(pods - first) / clock.Elapsed.TotalSeconds:F0}/s)"), ct);
            await ListAsync(server, probe, ct);
        }

        if (args.Contains("--encodings"))
        {
            foreach (var (accept, query) in s_encodings) await EncodingAsync(server, probe, accept, query, ct);
            return;
        }

        await Task.Delay(quiet, ct);
        await probe.TellAsync(string.Create(CultureInfo.InvariantCulture, $"after {quiet.TotalSeconds:F0} s of quiet"), ct);
        await ListAsync(server, probe, ct);
        Console.WriteLine($"  seen by the watchers: {string.Join(", ", watchers.Lines)} lines");
    }

    private static async Task EncodingAsync(ApiServer server, MemoryProbe probe, string accept, string query, CancellationToken ct)
    {
        var name = accept.Replace(";g=meta.k8s.io;v=v1", "", StringComparison.Ordinal).Replace("application/", "", StringComparison.Ordinal).Replace("vnd.kubernetes.", "", StringComparison.Ordinal).Replace("PartialObjectMetadataList", "Partial", StringComparison.Ordinal);
        foreach (var (gzip, path) in ((bool, string)[])[(false, query), (false, query), (true, query), (false, query + "&limit=500"), (false, query + "&limit=500")])
        {
            await using var wire = await HttpWire.ConnectAsync(server, ct);
            var clock = Stopwatch.StartNew();
            var (status, bytes) = await wire.DrainAsync(Core + "/pods?resourceVersion=0" + path, accept, gzip, ct);
            if (status != 200) throw new InvalidOperationException($"list answered {status}");
            await probe.TellAsync(string.Create(CultureInfo.InvariantCulture, $"{name}{query}{(path == query ? "" : " 500")}{(gzip ? " gzip" : "")}: {bytes / 1e6:F1} MB {clock.Elapsed.TotalMilliseconds:F0} ms"), ct);
        }
    }

    /// <summary>Reads a full list as a stream, holding none of it, so that only the servers' memory is measured.</summary>
    private static async Task ListAsync(ApiServer server, MemoryProbe probe, CancellationToken ct)
    {
        await using var wire = await HttpWire.ConnectAsync(server, ct);
        var clock = Stopwatch.StartNew();
        if (await wire.BeginAsync(Core + "/pods?resourceVersion=0", ct) is not 200 and var status) throw new InvalidOperationException($"list answered {status}");
        var bytes = 0L;
        while (await wire.ReadChunkAsync(ct) is { Length: > 0 } chunk) bytes += chunk.Length;
        await probe.TellAsync(string.Create(CultureInfo.InvariantCulture, $"listed: {bytes / 1e6:F0} MB in {clock.Elapsed.TotalMilliseconds:F0} ms"), ct);
    }

    private static string? Option(string[] args, string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
}
