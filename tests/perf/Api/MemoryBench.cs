using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>Resident memory of gateway and store with the objects of a cluster in them, watched and listed as controllers do.</summary>
internal static class MemoryBench
{
    private const string Core = "/api/v1";

    public static async Task RunAsync(ApiServer server, int pods, CancellationToken ct)
    {
        await using var load = new ApiLoad(server, 8);
        await load.ConnectAllAsync(ct);
        await TellAsync("idle");
        await using var wire = await HttpWire.ConnectAsync(server, ct);
        await wire.SendAsync("POST", Core + "/namespaces/default/serviceaccounts", """{"metadata":{"name":"default"}}"""u8.ToArray(), ct);
        await load.MeasureAsync(Math.Max(1, pods / 5), (w, i) => w.SendAsync("POST", Core + "/nodes", Node(i), ct), 201, ct);
        var m = await load.MeasureAsync(pods, (w, i) => w.SendAsync("POST", Core + "/namespaces/default/pods", Pod(i), ct), 201, ct);
        await load.MeasureAsync(pods, (w, i) => w.SendAsync("PATCH", $"{Core}/namespaces/default/pods/pod-{i}/status", Status(i), ct, "application/merge-patch+json"), 200, ct);
        await TellAsync(string.Create(CultureInfo.InvariantCulture, $"{pods / 5} nodes, {pods} pods created ({m.Rate:F0}/s) and their status written"));
        for (var i = 0; i < 3; i++)
        {
            var clock = Stopwatch.StartNew();
            var (_, body) = await wire.SendAsync("GET", Core + "/pods?resourceVersion=0", default, ct);
            await TellAsync(string.Create(CultureInfo.InvariantCulture, $"listed: {body.Length / 1e6:F0} MB in {clock.Elapsed.TotalMilliseconds:F0} ms"));
        }

        await Task.Delay(TimeSpan.FromSeconds(10), ct);
        await TellAsync("ten seconds later");

        async Task TellAsync(string what)
        {
            var heap = await load.MetricAsync("dotnet_gc_heap_bytes", ct) >> 20;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{server.Resident,6:F0} MiB  {what} (store + gateway: {server.ResidentEach}, of it the gateway's heap {heap})"));
        }
    }

    private static byte[] Node(int index) => Encoding.UTF8.GetBytes(
        $$$"""{"apiVersion":"v1","kind":"Node","metadata":{"name":"node-{{{index}}}","labels":{"kubernetes.io/hostname":"node-{{{index}}}","zone":"z{{{index % 3}}}"}},"status":{"capacity":{"cpu":"8","memory":"32Gi","pods":"110"},"allocatable":{"cpu":"8","memory":"32Gi","pods":"110"},"conditions":[{"type":"Ready","status":"True","reason":"KubeletReady","message":"kubelet is posting ready status"}]} }""");

    private static byte[] Pod(int index) => Encoding.UTF8.GetBytes(
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"pod-{{{index}}}","namespace":"default","labels":{"app":"bench","tier":"t{{{index % 10}}}"}},"spec":{"nodeName":"node-{{{index / 5}}}","containers":[{"name":"c","image":"docker.io/local/nginx:1","env":[{"name":"A","value":"b"}],"ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"} } }] } }""");

    private static byte[] Status(int index) => Encoding.UTF8.GetBytes(
        $$$"""{"status":{"phase":"Running","podIP":"10.1.{{{index / 250 % 250}}}.{{{index % 250}}}","hostIP":"192.168.0.1","startTime":"2026-01-01T00:00:00Z","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"PodScheduled","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":0,"image":"docker.io/local/nginx:1","imageID":"sha256:0123456789abcdef","containerID":"containerd://{{{index:x64}}}","state":{"running":{"startedAt":"2026-01-01T00:00:00Z"} } }] } }""");
}
