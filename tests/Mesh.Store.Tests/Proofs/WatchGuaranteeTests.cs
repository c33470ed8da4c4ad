using System.Collections.Concurrent;
using Google.Protobuf;
using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Tests.Support;
using Mesh.Store.Watching;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Proofs;

public class WatchGuaranteeTests(ITestOutputHelper output)
{
    [Fact]
    public void The_checker_tells_good_from_bad()
    {
        var written = new Dictionary<long, (string, string?)[]> { [2] = [("a", "1")], [3] = [("a", "2"), ("b", "2")], [4] = [("a", null)] };
        WatchRecord two = E((2, "a", "1")), three = E((3, "a", "2"), (3, "b", "2")), four = E((4, "a", null));
        Assert.Null(WatchGuarantees.Check([two, three, four], 2, written, 4));
        Assert.Null(WatchGuarantees.Check([two, P(2), E((3, "b", "2"), (3, "a", "2"), (4, "a", null)), P(4)], 2, written, 4));
        Assert.StartsWith("ordered", WatchGuarantees.Check([two, three, two, four], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("ordered", WatchGuarantees.Check([two, two, three, four], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("reliable", WatchGuarantees.Check([two, four], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("reliable", WatchGuarantees.Check([two, three], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("atomic", WatchGuarantees.Check([two, E((3, "a", "2")), E((3, "b", "2")), four], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("atomic", WatchGuarantees.Check([E((2, "a", "x")), three, four], 2, written, 4), StringComparison.Ordinal);
        Assert.StartsWith("bookmark", WatchGuarantees.Check([two, P(3), three, four], 2, written, 4), StringComparison.Ordinal);

        static WatchRecord E(params (long, string, string?)[] events) => new(events[^1].Item1, false, events);
        static WatchRecord P(long revision) => new(revision, true, []);
    }

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public async Task Watches_keep_their_promises(int seed)
    {
        for (var more = 0; more < CrashPointTests.Rounds("MESH_CHAOS_SEEDS"); more++)
        {
            var (history, verdict) = await RunAsync(seed + (more * 1000), KnownBugs.None);
            Assert.True(verdict is null, $"{verdict}: {history.Save()}");
            output.WriteLine(history.Save());
        }
    }

    [Fact]
    public async Task An_event_dropped_at_compaction_is_found()
    {
        for (var seed = 51; seed < 71; seed++)
        {
            var (history, verdict) = await RunAsync(seed, KnownBugs.DropEventAtCompaction);
            if (verdict is null) continue;
            output.WriteLine($"found: {verdict} ({history.Save()})");
            return;
        }

        Assert.Fail("not found in 20 histories");
    }

    private static async Task<(History History, string? Verdict)> RunAsync(int seed, KnownBugs bugs)
    {
        var history = new History("watch-" + bugs, seed);
        var written = new ConcurrentDictionary<long, (string, string?)[]>();
        var watches = new ConcurrentBag<Task<string?>>();
        await using var store = new ChaosStore(seed, history, bugs);
        using var quiet = new CancellationTokenSource(); // the last write is answered
        string? verdict = null;
        await store.RunAsync(crashes: 3, stop =>
        {
            // What was begun before the crash and not answered may be there: such revisions are in nobody's book, but in every watch.
            for (var w = 0; w < 4; w++) watches.Add(WatchAsync(store, history, written, from: 2, slow: w == 3, quiet.Token));
            return Enumerable.Range(0, 4).Select(c => Task.Run(() => WriteAsync(store, new Random((seed * 100) + c), c, written, history, stop), CancellationToken.None))
                .Append(Task.Run(() => CompactAsync(store, new Random(seed), history, written, watches, stop, quiet.Token), CancellationToken.None));
        });
        await quiet.CancelAsync();
        foreach (var watch in watches) verdict = await watch.WaitAsync(TimeSpan.FromSeconds(60)) ?? verdict;
        history.Add(new { verdict });
        return (history, verdict);
    }

    private static async Task WriteAsync(ChaosStore store, Random random, int client, ConcurrentDictionary<long, (string, string?)[]> written, History history, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested && i < 300; i++)
        {
            var (a, b, value) = ("w" + random.Next(5), "x" + random.Next(5), $"{client}.{i}");
            if (random.Next(3) > 0)
            {
                await store.CallAsync(e => e.PutAsync(a, value), r => Note(r.Revision, (a, value)));
            }
            else if (random.Next(2) == 0)
            {
                var txn = new Pb.TxnRequest();
                foreach (var key in (string[])[a, b])
                    txn.Success.Add(new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } });
                await store.CallAsync(e => e.TxnAsync(txn), r => Note(r.Revision, (a, value), (b, value)));
            }
            else
            {
                await store.CallAsync(e => e.DeleteAsync(a), r =>
                {
                    if (r.Deleted > 0) Note(r.Revision, (a, null));
                });
            }
        }

        void Note(long revision, params (string, string?)[] events)
        {
            written[revision] = events;
            history.Add(new { revision, events = string.Join(' ', events) });
        }
    }

    /// <summary>Compacts now and then, never beyond what the slowest watch has, and begins a watch at the very revision that was kept.</summary>
    private static async Task CompactAsync(ChaosStore store, Random random, History history, ConcurrentDictionary<long, (string, string?)[]> written, ConcurrentBag<Task<string?>> watches, CancellationToken stop, CancellationToken quiet)
    {
        for (var i = 0; i < 6 && !stop.IsCancellationRequested; i++)
        {
            await Task.Delay(random.Next(20, 60), CancellationToken.None);
            var (engine, life) = await store.PresentAsync();
            var revision = engine.Store.Published.Revision;
            if (revision <= Math.Max(2, engine.Store.CompactRevision)) continue;
            try
            {
                await engine.CompactAsync(revision, physical: true);
            }
            catch (StoreException)
            {
                continue; // it crashed meanwhile, or another life had compacted further
            }

            if (!store.Heard(life, () => history.Add(new { compacted = revision }))) continue;
            watches.Add(WatchAsync(store, history, written, revision, slow: false, quiet));
        }
    }

    /// <summary>A watch of everything that goes on after each crash where it stopped. The store may have been compacted beyond that: then the watch is told so, and what it has is checked up to there.</summary>
    private static async Task<string?> WatchAsync(ChaosStore store, History history, ConcurrentDictionary<long, (string, string?)[]> written, long from, bool slow, CancellationToken quiet)
    {
        var records = new List<WatchRecord>();
        var (first, next) = (from, from);
        var name = Interlocked.Increment(ref s_watches);
        while (true)
        {
            var (engine, life) = await store.PresentAsync();
            using var done = new CancellationTokenSource();
            using var stream = new WatchStream(engine.Hub, new WatchLimits { QueuedBytes = slow ? 300 : 1 << 20, CatchUpEvents = 7 }, engine.Time);
            long compacted = 0, progress = 0, last = 0;
            var sender = stream.RunAsync(
                async (reply, _) =>
                {
                    if (slow) await Task.Delay(1);
                    // As on the wire: what is read is what was encoded.
                    var parsed = Parse(reply);
                    store.Heard(life, () =>
                    {
                        if (compacted != 0) return; // progress of a stream without watches
                        if (parsed.Canceled) compacted = parsed.CompactRevision;
                        if (parsed.WatchId == -1) progress = parsed.Header.Revision;
                        if (parsed.Events.Count == 0 && parsed.WatchId != -1) return;
                        var record = new WatchRecord(parsed.Header.Revision, parsed.WatchId == -1,
                            [.. parsed.Events.Select(e => (e.Kv.ModRevision, e.Kv.Key.ToStringUtf8(), e.Type == Pb.Event.Types.EventType.Put ? e.Kv.Value.ToStringUtf8() : null))]);
                        records.Add(record);
                        history.Add(new { watch = name, record.Revision, record.Progress, events = string.Join(' ', record.Events) });
                        if (record.Events.Length > 0) next = record.Events[^1].Revision + 1;
                    });
                },
                done.Token);
            stream.Create(new WatchCreation(KeyRange.Everything) { StartRevision = next });
            var finished = false;
            while (!finished && store.Life == life && Volatile.Read(ref compacted) == 0)
            {
                await Task.Delay(5, CancellationToken.None);
                stream.RequestProgress();
                if (!quiet.IsCancellationRequested) continue;
                last = engine.Store.Published.Revision;
                finished = Volatile.Read(ref next) > last || Volatile.Read(ref progress) >= last;
            }

            await done.CancelAsync();
            await sender.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!finished && compacted == 0) continue;
            var verdict = WatchGuarantees.Check(records, first, written, finished ? last : next - 1);
            if (verdict is not null || finished) return verdict is null ? null : $"watch {name}: {verdict}";
            (first, next) = (compacted, compacted);
            records.Clear();
        }
    }

    private static int s_watches;

    private static Pb.WatchResponse Parse(WatchReply reply)
    {
        var bytes = new byte[reply.Size];
        var writer = new ProtoWriter(bytes);
        reply.Write(ref writer);
        return Pb.WatchResponse.Parser.ParseFrom(bytes);
    }
}
