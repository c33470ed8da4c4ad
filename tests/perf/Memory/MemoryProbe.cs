using System.Globalization;
using System.Text;
using Mesh.Perf.Api;

namespace Mesh.Perf.Memory;

/// <summary>What the kernel and the runtimes say of the servers' memory, one line at a time.</summary>
/// <param name="server">The servers.</param>
/// <param name="storeMetrics">Port of the store's metrics, null when it shares the gateway's process.</param>
internal sealed class MemoryProbe(ApiServer server, int? storeMetrics) : IDisposable
{
    private readonly HttpClient _http = new();

    /// <summary>Prints a row and begins a new peak.</summary>
    public async Task TellAsync(string what, CancellationToken ct)
    {
        var heaps = new List<string>();
        if (storeMetrics is { } port) heaps.Add(Heap(await _http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), ct)));
        // A connection of its own each time: between two rows it would be closed for being idle.
        await using var wire = await HttpWire.ConnectAsync(server, ct);
        var (_, body) = await wire.SendAsync("GET", "/metrics", default, ct);
        heaps.Add(Heap(Encoding.UTF8.GetString(body.Span)));
        var (rss, once, peak) = (0L, PhysicalPages.Of(server.Ids), 0L);
        foreach (var id in server.Ids)
        {
            rss += Field($"/proc/{id}/smaps_rollup", "Rss:");
            peak += Field($"/proc/{id}/status", "VmHWM:");
            // 5: the high-water mark starts again from what is resident now.
            await File.WriteAllTextAsync($"/proc/{id}/clear_refs", "5", ct);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-42}{rss >> 10,6}{once >> 20,6}{peak >> 10,6}   {string.Join(" + ", heaps)}"));
    }

    public void Dispose() => _http.Dispose();

    private static string Heap(string metrics)
    {
        var lines = metrics.Split('\n');
        long Of(string name) => lines.FirstOrDefault(l => l.StartsWith(name + " ", StringComparison.Ordinal)) is { } line
            ? (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture) >> 20
            : -1;
        return $"{Of("dotnet_gc_heap_bytes")}/{Of("dotnet_gc_committed_bytes")}/{Of("dotnet_gc_fragmented_bytes")}/{Of("dotnet_gc_generation_bytes{generation=\"large\"}")}";
    }

    /// <summary>A field in KiB.</summary>
    private static long Field(string file, string name) =>
        File.ReadLines(file).First(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var value, ..]
            ? long.Parse(value, CultureInfo.InvariantCulture)
            : 0;
}
