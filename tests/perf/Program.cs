using Mesh.Perf.Api;
using Mesh.Perf.Cluster;
using Mesh.Perf.Memory;
using Mesh.Perf.Scheduler;
using Mesh.Perf.Store;

namespace Mesh.Perf;

/// <summary>Benchmarks by name; each prints a table. The first argument chooses, the rest goes to it.</summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<string[], Task<int>>> s_benchmarks = new()
    {
        ["api"] = ApiBench.RunAsync,
        ["store"] = StoreBench.Run,
        ["snapshots"] = SnapshotBench.RunAsync,
        ["memory"] = MemoryBench.RunAsync,
        ["scheduler"] = PlacementBench.Run,
        ["cluster"] = static args => ClusterBench.RunAsync(args[0], args.Length > 1 ? double.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : null),
    };

    private static Task<int> Main(string[] args)
    {
        if (args.Length > 0 && s_benchmarks.TryGetValue(args[0], out var run)) return run(args[1..]);
        Console.Error.WriteLine("benchmarks: " + string.Join(", ", s_benchmarks.Keys));
        return Task.FromResult(2);
    }
}
