using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Proofs;

/// <summary>Watches the maps as a client does: from where it was, at the other gateway each time, with a list (or a streamed one) when it is told that it is too late.</summary>
internal sealed class ProofWatcher(ProofCluster cluster, int id, Random random, bool slow, bool streams)
{
    private readonly ConcurrentQueue<Told> told = new();
    private long position;

    public IReadOnlyCollection<Told> Told => told;

    public long Position => Volatile.Read(ref position);

    public async Task RunAsync(CancellationToken stop)
    {
        var listed = false;
        for (var which = id; !stop.IsCancellationRequested; which++)
        {
            try
            {
                if (!listed) await (streams ? StreamListAsync(which, stop) : ListAsync(which, stop));
                listed = await WatchAsync(which, stop);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or JsonException)
            {
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    private async Task ListAsync(int which, CancellationToken stop)
    {
        var list = JsonNode.Parse(await cluster.Client(which).GetStringAsync(ProofCluster.Maps, stop))!;
        Tell(new Told(Revision(list), "LIST", Items: [.. list["items"]!.AsArray().Select(o => (Name(o!), Revision(o!), Value(o!)))]));
    }

    private async Task StreamListAsync(int which, CancellationToken stop)
    {
        var items = new List<(string, long, string)>();
        using var lines = await OpenAsync(which, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=10", stop);
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            var (type, shown) = Parse(line);
            if (type == "BOOKMARK")
            {
                Tell(new Told(Revision(shown), "LIST", Items: items));
                return;
            }

            items.Add((Name(shown), Revision(shown), Value(shown)));
        }

        throw new IOException("the watch ended before its initial events did");
    }

    /// <summary>False when it must list again.</summary>
    private async Task<bool> WatchAsync(int which, CancellationToken stop)
    {
        using var lines = await OpenAsync(which, $"resourceVersion={position}&allowWatchBookmarks=true&timeoutSeconds={random.Next(3, 7)}", stop);
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            var (type, shown) = Parse(line);
            if (type == "ERROR") return (int?)shown["code"] is not 410;
            Tell(new Told(Revision(shown), type, type == "BOOKMARK" ? null : Name(shown), type == "BOOKMARK" ? null : Value(shown)));
            if (slow) await Task.Delay(2, CancellationToken.None);
        }

        return true;
    }

    private async Task<StreamReader> OpenAsync(int which, string query, CancellationToken stop) =>
        new(await cluster.Client(which).GetStreamAsync($"{ProofCluster.Maps}?watch=1&{query}", stop));

    private void Tell(Told what)
    {
        told.Enqueue(what);
        Volatile.Write(ref position, Math.Max(position, what.Revision));
    }

    private static (string Type, JsonNode Object) Parse(string line) => JsonNode.Parse(line) is { } e ? ((string)e["type"]!, e["object"]!) : throw new JsonException(line);

    private static long Revision(JsonNode o) => long.Parse((string)o["metadata"]!["resourceVersion"]!);

    private static string Name(JsonNode o) => (string)o["metadata"]!["name"]!;

    private static string Value(JsonNode o) => (string)o["data"]!["v"]!;
}
