using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Rpc;

namespace Mesh.Perf.Cluster;

/// <summary>
/// What a user waits for on a running single-node cluster: pods, services, memory, idle cost. Run by <c>./mesh bench cluster</c> inside the
/// cluster's network. The column "Kubernetes 1.20" is what a whole node of it took on this kind of machine (shared RECIPES §9).
/// </summary>
internal static class ClusterBench
{
    private const string Image = "docker.io/local/nginx:1";
    private const string Ns = "default";

    public static async Task<int> RunAsync(string dataDir, double? startSeconds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var ct = limit.Token;
        using var channel = GatewayConnection.Open(
            new GatewayConnectionOptions { Kubeconfig = Path.Combine(dataDir, "kubeconfig") }, "bench", new MeshChannelOptions());
        var client = new KubeClient(channel, "bench");
        Console.WriteLine($"{"what",-44} {"Mesh",12} {"Kubernetes 1.20",16}");
        if (startSeconds is { } seconds)
            Row("./mesh up to Ready node", $"{seconds:F1} s", "15.9 s");

        await RunPodAsync(client, "warm", ct);
        var single = new List<double>();
        for (var i = 0; i < 10; i++)
            single.Add(await RunPodAsync(client, $"one-{i}", ct));
        single.Sort();
        Row("pod create to Running, median [max] of 10", $"{single[5]:F2} [{single[^1]:F2}] s", "0.91 [2.75] s");

        var many = await RunManyAsync(client, 30, ct);
        Row("30 pods at once, all Running", $"{many:F1} s", "21.8 s");

        var first = new List<double>();
        for (var i = 0; i < 5; i++)
            first.Add(await FirstConnectionAsync(client, i, ct));
        first.Sort();
        Row("service created to first connection, median", $"{first[2]:F0} ms", "116 ms");

        var gone = Stopwatch.StartNew();
        await client.DeleteAsync<Pod>(Ns, "warm", new DeleteOptions { GracePeriodSeconds = 0 }, ct);
        await foreach (var pods in Poll(client, ct))
        {
            if (!pods.Any(p => p.Metadata.Name == "warm"))
                break;
        }

        Row("pod deletion, grace 0", $"{gone.Elapsed.TotalSeconds:F2} s", "");
        await DeleteAllAsync(client, ct);
        await IdleAsync(dataDir, ct);
        return 0;
    }

    private static void Row(string what, string mesh, string peer) => Console.WriteLine($"{what,-44} {mesh,12} {peer,16}");

    private static Pod NewPod(string name) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = Ns, Labels = new() { ["bench"] = name } },
        Spec = new PodSpec { TerminationGracePeriodSeconds = 0, Containers = [new Container { Name = "c", Image = Image }] },
    };

    private static async Task<double> RunPodAsync(KubeClient client, string name, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        await client.CreateAsync(NewPod(name), ct);
        await foreach (var change in client.WatchAsync<Pod>(new ListQuery(Ns, FieldSelector: $"metadata.name={name}"), sendInitialEvents: true, ct))
        {
            if (change.Object?.Status?.Phase == "Running" && change.Object.Status.ContainerStatuses?.All(c => c.State?.Running is not null) == true)
                return clock.Elapsed.TotalSeconds;
        }

        throw new InvalidOperationException("the watch ended before the pod ran");
    }

    private static async Task<double> RunManyAsync(KubeClient client, int count, CancellationToken ct)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => client.CreateAsync(NewPod($"many-{i}"), ct)));
        await foreach (var pods in Poll(client, ct))
        {
            if (pods.Count(p => p.Metadata.Name!.StartsWith("many-", StringComparison.Ordinal) && p.Status?.Phase == "Running") == count)
                break;
        }

        return clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> FirstConnectionAsync(KubeClient client, int index, CancellationToken ct)
    {
        var service = new Service
        {
            Metadata = new ObjectMeta { Name = $"bench-{index}", Namespace = Ns },
            Spec = new ServiceSpec { Selector = new() { ["bench"] = "warm" }, Ports = [new ServicePort { Port = 80 }] },
        };
        var clock = Stopwatch.StartNew();
        var created = await client.CreateAsync(service, ct);
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(20);
            try
            {
                await socket.ConnectAsync(created.Spec!.ClusterIP!, 80, patience.Token);
                break;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException && !ct.IsCancellationRequested)
            {
                await Task.Delay(1, ct);
            }
        }

        var took = clock.Elapsed.TotalMilliseconds;
        await client.DeleteAsync<Service>(Ns, service.Metadata.Name!, ct: ct);
        return took;
    }

    private static async Task DeleteAllAsync(KubeClient client, CancellationToken ct)
    {
        foreach (var pod in (await client.ListAsync<Pod>(new ListQuery(Ns), ct)).Items)
            await client.DeleteAsync<Pod>(Ns, pod.Metadata.Name!, new DeleteOptions { GracePeriodSeconds = 0 }, ct);
        await foreach (var pods in Poll(client, ct))
        {
            if (pods.Count == 0)
                break;
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<Pod>> Poll(KubeClient client, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            yield return (await client.ListAsync<Pod>(new ListQuery(Ns), ct)).Items;
            await Task.Delay(20, ct);
        }
    }

    private static async Task IdleAsync(string dataDir, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromSeconds(15), ct);
        var pids = Directory.GetFiles(Path.Combine(dataDir, "run"), "*.pid").Where(f => !f.EndsWith("supervisor.pid", StringComparison.Ordinal))
            .Select(f => int.Parse(File.ReadAllText(f), CultureInfo.InvariantCulture)).ToList();
        var before = pids.Select(Sample.Of).ToList();
        var window = TimeSpan.FromSeconds(60);
        await Task.Delay(window, ct);
        var after = pids.Select(Sample.Of).ToList();
        var cpu = after.Zip(before, (a, b) => a.CpuSeconds - b.CpuSeconds).Sum() / window.TotalSeconds * 100;
        var bytes = after.Zip(before, (a, b) => a.WrittenBytes - b.WrittenBytes).Sum();
        var calls = after.Zip(before, (a, b) => a.WriteCalls - b.WriteCalls).Sum();
        Row("idle resident memory (containerd aside)", $"{after.Sum(s => s.ResidentBytes) >> 20} MiB", "713 MiB");
        Row("idle CPU of one core over 60 s", $"{cpu:F2} %", "4.45 %");
        Row("idle bytes to disk a second", $"{bytes / window.TotalSeconds / 1024:F1} KiB", "30 KiB");
        Row("idle write calls a second", $"{calls / window.TotalSeconds:F1}", "156");
    }

    private readonly record struct Sample(double CpuSeconds, long ResidentBytes, long WrittenBytes, long WriteCalls)
    {
        public static Sample Of(int pid)
        {
            using var process = Process.GetProcessById(pid);
            var io = File.ReadAllLines($"/proc/{pid}/io").Select(l => l.Split(": ")).ToDictionary(p => p[0], p => long.Parse(p[1], CultureInfo.InvariantCulture));
            return new Sample(process.TotalProcessorTime.TotalSeconds, process.WorkingSet64, io["write_bytes"], io["syscw"]);
        }
    }
}
