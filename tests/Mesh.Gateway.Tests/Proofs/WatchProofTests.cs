using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Store.Tests.Proofs;
using Mesh.Store.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Mesh.Gateway.Tests.Proofs;

/// <summary>The promises of watches at the gateway and at an informer, while store and gateways are killed, stopped and compacted. MESH_CHAOS_SEEDS: more seeds than one.</summary>
public class WatchProofTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Watches_and_informers_miss_nothing_whatever_is_killed()
    {
        var seeds = int.TryParse(Environment.GetEnvironmentVariable("MESH_CHAOS_SEEDS"), out var wanted) ? wanted : 1;
        for (var seed = 61; seed < 61 + seeds; seed++)
        {
            var history = new History("gateway-watch", seed);
            var verdict = await RunAsync(seed, history);
            Assert.True(verdict is null, $"{verdict}: {history.Save()}");
            output.WriteLine(history.Save());
        }
    }

    private static async Task<string?> RunAsync(int seed, History history)
    {
        var random = new Random(seed);
        await using var cluster = await ProofCluster.StartAsync();
        var book = new ConcurrentDictionary<long, (string Key, string? Value)>();
        var deleted = new ConcurrentDictionary<(string Key, long After), bool>();
        var watchers = Enumerable.Range(0, 5).Select(i => new ProofWatcher(cluster, i, new Random(seed + i), slow: i == 4, streams: i is 1 or 3)).ToArray();
        using var stopWatching = new CancellationTokenSource();
        using var stopWriting = new CancellationTokenSource();
        var watching = watchers.Select(w => w.RunAsync(stopWatching.Token)).ToArray();
        using var channel = cluster.Channel();
        var informed = new InformedState();
        var factory = new InformerFactory(new KubeClient(channel, "proof"), NullLoggerFactory.Instance);
        var informer = factory.For<ConfigMap>(ns: "proof");
        informer.AddHandler(informed.Handle);
        var informing = factory.RunAsync(stopWatching.Token);
        var writers = Enumerable.Range(0, 3).Select(c => WriteAsync(cluster, c, new Random((seed * 10) + c), book, deleted, stopWriting.Token)).ToArray();

        var failures = Enumerable.Range(0, ProofCluster.Failures).ToArray();
        random.Shuffle(failures);
        foreach (var kind in failures)
        {
            var target = book.Count + random.Next(40, 200);
            await Eventually.True(() => book.Count >= target, "writes to fail into", 60);
            history.Add(new { failed = await cluster.FailAsync(kind, random), acknowledged = book.Count });
        }

        var enough = book.Count + 50;
        await Eventually.True(() => book.Count >= enough, "writes after the failures", 60);
        await stopWriting.CancelAsync();
        await Task.WhenAll(writers);
        var end = await EndAsync(cluster);
        await Eventually.True(() => watchers.All(w => w.Position >= end) && informer.Lister.Get("proof", "the-end") is not null, "everybody to see the last write", 60);
        await stopWatching.CancelAsync();
        await Task.WhenAll([.. watching, informing]).WaitAsync(Patience);

        foreach (var (w, told) in watchers.SelectMany((w, i) => w.Told.Select(t => (i, t)))) history.Add(new { watcher = w, told.Revision, told.Type, told.Key, told.Value });
        return Judge(book, (key, after) => deleted.ContainsKey((key, after)), watchers, informed, informer.Lister.List(), end);
    }

    private static string? Judge(
        ConcurrentDictionary<long, (string Key, string? Value)> book, Func<string, long, bool> mayBeGone, ProofWatcher[] watchers, InformedState informed, IReadOnlyCollection<ConfigMap> cache, long end)
    {
        // Writes whose answer was lost are in nobody's book: what one watcher was shown, all must have been.
        var changes = new SortedDictionary<long, (string Key, string? Value)>(book);
        foreach (var told in watchers.SelectMany(w => w.Told))
        {
            foreach (var (key, revision, value) in told.Items ?? [])
            {
                if (!changes.TryAdd(revision, (key, value)) && changes[revision] != (key, value)) return $"true: a list shows {key} = {value} at {revision}, but it was {changes[revision]}";
            }

            if (told.Key is null) continue;
            var change = (told.Key, told.Type == "DELETED" ? null : told.Value);
            if (!changes.TryAdd(told.Revision, change) && changes[told.Revision] != change) return $"true: {told}, but it was {changes[told.Revision]}";
        }

        for (var i = 0; i < watchers.Length; i++)
        {
            // The watches end at different moments; up to the last write all have everything.
            if (WatchChecker.Check(watchers[i].Told.Where(t => t.Revision <= end), changes, mayBeGone) is { } broken) return $"watcher {i}: {broken}";
        }

        var final = new Dictionary<string, (long, string)>();
        foreach (var (revision, (key, value)) in changes)
        {
            if (value is null) final.Remove(key);
            else final[key] = (revision, value);
        }

        var cached = cache.ToDictionary(c => c.Metadata.Name!, c => (long.Parse(c.Metadata.ResourceVersion!), c.Data!["v"]));
        return WatchChecker.Differs(final, cached, mayBeGone) is { } difference ? "informer's cache: " + difference : informed.Broken(changes);
    }

    private static async Task WriteAsync(
        ProofCluster cluster, int client, Random random, ConcurrentDictionary<long, (string, string?)> book, ConcurrentDictionary<(string, long), bool> deleted, CancellationToken stop)
    {
        var there = new Dictionary<string, long?>(); // the key's revision, 0 for none, null when an answer was lost
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var key = $"w{client}-{random.Next(6)}";
            var path = $"{ProofCluster.Maps}/{key}";
            var value = $"{client}.{i}";
            var body = $$"""{"metadata":{"name":"{{key}}"},"data":{"v":"{{value}}"} }""";
            if (there.GetValueOrDefault(key, 0) is not { } revision)
            {
                var (found, shown) = await cluster.TryAsync(i, HttpMethod.Get, path, null, CancellationToken.None);
                there[key] = found switch { 200 => Revision(shown!), 404 => 0, _ => null };
            }
            else if (revision > 0 && random.Next(4) == 0)
            {
                deleted[(key, revision)] = true;
                var (code, _) = await cluster.TryAsync(i, HttpMethod.Delete, path, null, CancellationToken.None);
                there[key] = code == 200 ? 0 : null;
            }
            else
            {
                var (code, answer) = await cluster.TryAsync(i, revision > 0 ? HttpMethod.Put : HttpMethod.Post, revision > 0 ? path : ProofCluster.Maps, body, CancellationToken.None);
                there[key] = code is 200 or 201 ? Revision(answer!) : null;
                if (there[key] is { } made) book[made] = (key, value);
            }

            await Task.Delay(random.Next(4), CancellationToken.None);
        }

        static long Revision(JsonNode o) => long.Parse((string)o["metadata"]!["resourceVersion"]!);
    }

    private static async Task<long> EndAsync(ProofCluster cluster)
    {
        for (var left = 600; left > 0; left--)
        {
            await cluster.TryAsync(left, HttpMethod.Post, ProofCluster.Maps, """{"metadata":{"name":"the-end"},"data":{"v":"end"}}""", CancellationToken.None);
            var (code, answer) = await cluster.TryAsync(left, HttpMethod.Get, ProofCluster.Maps + "/the-end", null, CancellationToken.None);
            if (code == 200) return long.Parse((string)answer!["metadata"]!["resourceVersion"]!);
            await Task.Delay(100);
        }

        throw new InvalidOperationException("the last write was not taken in a minute");
    }

    /// <summary>What an informer told its handler, checked as it comes: each step begins where the one before ended, and no object goes back.</summary>
    private sealed class InformedState
    {
        private readonly Dictionary<string, ConfigMap> objects = [];
        private readonly List<(long Revision, string Key, string Value)> shown = [];
        private string? broken;

        public void Handle(ConfigMap? old, ConfigMap? now)
        {
            var name = (now ?? old)!.Metadata.Name!;
            var known = objects.GetValueOrDefault(name);
            if (known is null != old is null) broken ??= $"informer: {name} was {(known is null ? "not there" : "there")}, the handler was told otherwise";
            if (known is not null && now is not null && Revision(now) <= Revision(known)) broken ??= $"informer: {name} goes from {Revision(known)} to {Revision(now)}";
            if (now is null) objects.Remove(name);
            else objects[name] = now;
            if (now is not null) shown.Add((Revision(now), name, now.Data!["v"]));
        }

        /// <summary>Null, or what was wrong.</summary>
        public string? Broken(SortedDictionary<long, (string Key, string? Value)> changes)
        {
            foreach (var (revision, key, value) in shown)
            {
                if (!changes.TryGetValue(revision, out var change) || change != (key, value)) return $"informer: {key} = {value} at {revision} is no change that anybody made";
            }

            return broken;
        }

        private static long Revision(ConfigMap map) => long.Parse(map.Metadata.ResourceVersion!);
    }
}
