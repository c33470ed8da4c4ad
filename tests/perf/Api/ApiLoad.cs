using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>Requests by a fixed number of clients, each with its own connection and one request under way.</summary>
internal sealed class ApiLoad(ApiTarget server, int clients) : IAsyncDisposable
{
    private readonly List<HttpWire> _wires = [];

    public ApiTarget Target => server;

    /// <summary>Connects, and runs each verb a few hundred times: what is measured is the steady state, not the compiler.</summary>
    public async Task WarmUpAsync(CancellationToken ct)
    {
        await ConnectAllAsync(ct);
        const string Path = "/api/v1/namespaces/kube-public/configmaps";
        byte[] Body(int i) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(ApiBench.Map(i, "warm")).Replace("\"default\"", "\"kube-public\"", StringComparison.Ordinal));
        for (var round = 0; round < 8; round++)
        {
            await MeasureAsync(1000, (w, i) => w.SendAsync("POST", Path, Body(i), ct), 201, ct);
            await MeasureAsync(1000, (w, i) => w.SendAsync("GET", $"{Path}/{ApiBench.Name(i)}", default, ct), 200, ct);
            await MeasureAsync(1000, (w, i) => w.SendAsync("PUT", $"{Path}/{ApiBench.Name(i)}", Body(i), ct), 200, ct);
            await MeasureAsync(1000, (w, i) => w.SendAsync("PATCH", $"{Path}/{ApiBench.Name(i)}", "{\"data\":{\"key\":\"p\"}}"u8.ToArray(), ct, "application/merge-patch+json"), 200, ct);
            await MeasureAsync(1000, (w, i) => w.SendAsync("PATCH", $"{Path}/{ApiBench.Name(i)}?fieldManager=b&force=true", Body(i), ct, "application/apply-patch+yaml"), 200, ct);
            await MeasureAsync(1000, (w, i) => w.SendAsync("DELETE", $"{Path}/{ApiBench.Name(i)}", default, ct), 200, ct);
        }
    }

    /// <summary>Request number 0 to count-1, each by the first client that is free.</summary>
    public async Task<ApiMeasure> MeasureAsync(int count, Func<HttpWire, int, Task<(int Status, ReadOnlyMemory<byte> Body)>> request, int status, CancellationToken ct)
    {
        var times = new double[count];
        var next = -1;
        var allocated = await MetricAsync(server.AllocatedMetric, ct);
        var cpu = server.Cpu;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(_wires.Select(wire => Task.Run(
            async () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < count;)
                {
                    var start = Stopwatch.GetTimestamp();
                    var (code, body) = await request(wire, i);
                    times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                    if (code != status) throw new InvalidOperationException($"answered {code}: {Encoding.UTF8.GetString(body.Span)}");
                }
            },
            ct)));
        var took = clock.Elapsed.TotalSeconds;
        cpu = server.Cpu - cpu;
        Array.Sort(times);
        allocated = await MetricAsync(server.AllocatedMetric, ct) - allocated;
        return new ApiMeasure(count / took, times[count / 2], times[count * 99 / 100], cpu * 5000 / count, allocated / count);
    }

    public async Task ConnectAllAsync(CancellationToken ct)
    {
        while (_wires.Count < clients) _wires.Add(await HttpWire.ConnectAsync(server, ct));
    }

    public Task<HttpWire> ConnectAsync(CancellationToken ct) => HttpWire.ConnectAsync(server, ct);

    public async ValueTask DisposeAsync()
    {
        foreach (var wire in _wires) await wire.DisposeAsync();
    }

    /// <summary>One of the API server's own metrics.</summary>
    public async Task<double> MetricAsync(string name, CancellationToken ct)
    {
        var (_, body) = await _wires[0].SendAsync("GET", "/metrics", default, ct);
        var line = Encoding.UTF8.GetString(body.Span).Split('\n').Single(l => l.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
