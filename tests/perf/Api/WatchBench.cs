using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.Perf.Api;

/// <summary>When watchers hear of a change, and that they hear of each once.</summary>
internal static class WatchBench
{
    /// <summary>From the answer of a create to its event at a watcher, while all clients create.</summary>
    public static async Task<ApiMeasure> LagAsync(ApiLoad load, int count, CancellationToken ct)
    {
        const string Path = "/api/v1/namespaces/kube-public/configmaps";
        var answered = new ConcurrentDictionary<string, long>();
        var seen = new ConcurrentDictionary<string, long>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await using var wire = await load.ConnectAsync(ct);
        await BeginAsync(wire, Path, ct);
        var watching = Task.Run(async () =>
        {
            var reader = new EventReader(wire);
            while (seen.Count < count) await reader.ReadAsync((name, _) => seen[name] = Stopwatch.GetTimestamp(), stop.Token);
        }, ct);
        await load.MeasureAsync(
            count,
            async (w, i) =>
            {
                var name = "lag-" + i.ToString(CultureInfo.InvariantCulture);
                var answer = await w.SendAsync("POST", Path, Encoding.UTF8.GetBytes($$"""{"metadata":{"name":"{{name}}"},"data":{"filler":"{{new string('y', 900)}}"} }"""), ct);
                answered[name] = Stopwatch.GetTimestamp();
                return answer;
            },
            201,
            ct);
        await watching.WaitAsync(TimeSpan.FromSeconds(60), ct);
        var lags = answered.Select(a => Math.Max(0, Stopwatch.GetElapsedTime(a.Value, seen[a.Key]).TotalMilliseconds)).Order().ToList();
        await load.MeasureAsync(count, (w, i) => w.SendAsync("DELETE", $"{Path}/lag-{i}", default, ct), 200, ct);
        return new ApiMeasure(double.NaN, lags[count / 2], lags[count * 99 / 100], double.NaN);
    }

    /// <summary>A thousand events by one writer to many watchers: events a second delivered, lag from the answer, none lost, none doubled.</summary>
    public static async Task<ApiMeasure> FanOutAsync(Session session, int watchers)
    {
        var (server, ct) = (session.Load.Target, session.Cancel);
        const string Path = "/api/v1/namespaces/kube-node-lease/configmaps";
        var events = watchers >= 1000 ? 200 : 1000;
        var answered = new long[events];
        var lags = new ConcurrentBag<double[]>();
        var prefix = $"fan-{session.Round}-{watchers}-";
        var wires = new List<HttpWire>();
        for (var i = 0; i < watchers; i++) wires.Add(await HttpWire.ConnectAsync(server, ct));
        foreach (var wire in wires) await BeginAsync(wire, Path, ct);
        var cpu = server.Cpu;
        var clock = Stopwatch.StartNew();
        var reading = wires.Select(wire => Task.Run(
            async () =>
            {
                var at = new long[events];
                var seen = 0;
                var reader = new EventReader(wire);
                while (seen < events)
                {
                    await reader.ReadAsync(
                        (name, type) =>
                        {
                            if (type != "ADDED" || !name.StartsWith(prefix, StringComparison.Ordinal)) return;
                            var index = int.Parse(name.AsSpan(prefix.Length), CultureInfo.InvariantCulture);
                            if (index != seen) throw new InvalidOperationException($"event {index} after {seen - 1}: lost, doubled or out of order");
                            at[seen++] = Stopwatch.GetTimestamp();
                        },
                        ct);
                }

                var mine = new double[events];
                for (var i = 0; i < events; i++) mine[i] = Math.Max(0, (at[i] - Volatile.Read(ref answered[i])) * 1000.0 / Stopwatch.Frequency);
                lags.Add(mine);
            },
            ct)).ToArray();
        await using (var writer = await HttpWire.ConnectAsync(server, ct))
        {
            for (var i = 0; i < events; i++)
            {
                var (status, _) = await writer.SendAsync("POST", Path, Encoding.UTF8.GetBytes($$"""{"metadata":{"name":"{{prefix}}{{i}}"},"data":{"filler":"{{new string('z', 900)}}"} }"""), ct);
                Volatile.Write(ref answered[i], Stopwatch.GetTimestamp());
                if (status != 201) throw new InvalidOperationException($"answered {status}");
                // A paced writer: what is measured is the way to the watchers, not their queue behind a saturated machine.
                if (watchers >= 1000) await Task.Delay(25, ct);
            }
        }

        await Task.WhenAll(reading).WaitAsync(TimeSpan.FromMinutes(2), ct);
        var took = clock.Elapsed.TotalSeconds;
        var all = lags.SelectMany(l => l).Order().ToList();
        cpu = server.Cpu - cpu;
        foreach (var wire in wires) await wire.DisposeAsync();
        return new ApiMeasure(watchers * events / took, all[all.Count / 2], all[all.Count * 99 / 100], cpu * 5000 / (watchers * events));
    }

    /// <summary>A watch of what comes from now on.</summary>
    private static async Task BeginAsync(HttpWire wire, string path, CancellationToken ct)
    {
        var (_, body) = await wire.SendAsync("GET", path + "?limit=1", default, ct);
        var version = System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString();
        var status = await wire.BeginAsync($"{path}?watch=1&resourceVersion={version}", ct);
        if (status != 200) throw new InvalidOperationException($"the watch was answered {status}");
    }
}

/// <summary>Watch events out of a chunked answer: one a line.</summary>
internal sealed class EventReader(HttpWire wire)
{
    private readonly MemoryStream _partial = new();

    /// <summary>Reads one chunk and tells each whole event in it by object name and type.</summary>
    public async Task ReadAsync(Action<string, string> on, CancellationToken ct)
    {
        var chunk = await wire.ReadChunkAsync(ct);
        if (chunk.IsEmpty) throw new IOException("the watch ended");
        while (!chunk.IsEmpty)
        {
            var end = chunk.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                _partial.Write(chunk.Span);
                return;
            }

            if (_partial.Length == 0)
            {
                Tell(chunk.Span[..end], on);
            }
            else
            {
                _partial.Write(chunk.Span[..end]);
                Tell(_partial.GetBuffer().AsSpan(0, (int)_partial.Length), on);
                _partial.SetLength(0);
            }

            chunk = chunk[(end + 1)..];
        }
    }

    // Enough of a parser for what the bench itself wrote; a real one would be the load.
    private static void Tell(ReadOnlySpan<byte> line, Action<string, string> on)
    {
        if (line.IsEmpty) return;
        var type = Text(line, "\"type\":\""u8);
        var meta = line.IndexOf("\"metadata\":{"u8);
        on(Text(line[meta..], "\"name\":\""u8), type);
    }

    private static string Text(ReadOnlySpan<byte> line, ReadOnlySpan<byte> before)
    {
        var rest = line[(line.IndexOf(before) + before.Length)..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)'"')]);
    }
}
