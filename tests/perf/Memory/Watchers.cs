using Mesh.Perf.Api;

namespace Mesh.Perf.Memory;

/// <summary>Watches that read what they are sent and count it.</summary>
internal sealed class Watchers : IAsyncDisposable
{
    private readonly List<HttpWire> _wires = [];
    private readonly List<Task> _reading = [];
    private readonly CancellationTokenSource _stop = new();
    private long[] _lines = [];

    public IReadOnlyList<long> Lines => _lines;

    public static async Task<Watchers> OpenAsync(ApiServer server, string[] paths, CancellationToken ct)
    {
        var watchers = new Watchers { _lines = new long[paths.Length] };
        for (var i = 0; i < paths.Length; i++)
        {
            var wire = await HttpWire.ConnectAsync(server, ct);
            watchers._wires.Add(wire);
            if (await wire.BeginAsync(paths[i], ct) is not 200 and var status) throw new InvalidOperationException($"watch answered {status}");
            watchers._reading.Add(watchers.ReadAsync(wire, i));
        }

        return watchers;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var wire in _wires) await wire.DisposeAsync();
        foreach (var task in _reading) await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ReadAsync(HttpWire wire, int index)
    {
        await Task.Yield();
        while (await wire.ReadChunkAsync(_stop.Token) is { Length: > 0 } chunk) _lines[index] += chunk.Span.Count((byte)'\n');
    }
}
