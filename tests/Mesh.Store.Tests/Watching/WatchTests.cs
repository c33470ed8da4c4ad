using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Tests.Support;
using Mesh.Store.Watching;

namespace Mesh.Store.Tests.Watching;

public class WatchTests
{
    [Fact]
    public async Task Every_event_once_and_in_order_from_any_revision_under_load()
    {
        await using var engine = Kv.Open(new MemoryFiles());
        for (var i = 0; i < 300; i++) await engine.PutAsync($"p/{i % 7}", $"{i}");
        var clients = new List<Client>();
        var writer = Task.Run(async () =>
        {
            for (var i = 300; i < 1500; i++) await engine.PutAsync($"p/{i % 7}", $"{i}");
        });
        for (var i = 0; i < 40; i++)
        {
            var client = new Client(engine, new WatchLimits { QueuedBytes = i % 2 == 0 ? 2000 : 1 << 24, CatchUpEvents = 50 }, delay: i % 8 == 0);
            client.Stream.Create(new WatchCreation(KeyRange.Of(Kv.B("p/"), Kv.B("p0"))) { StartRevision = 2 + i * 5 });
            clients.Add(client);
            await Task.Delay(2);
        }

        await writer;
        for (var i = 0; i < clients.Count; i++)
        {
            var (client, from) = (clients[i], 2 + i * 5);
            await Eventually.True(() => client.Events.Count >= 1501 - from + 1, $"client {i} has all");
            Assert.Equal(Enumerable.Range(from, 1501 - from + 1).Select(r => (long)r), client.Events.Select(e => e.ModRevision));
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Compacted_away_is_cancelled_with_the_revision()
    {
        await using var engine = Kv.Open(new MemoryFiles());
        for (var i = 0; i < 10; i++) await engine.PutAsync("a", $"{i}");
        await engine.CompactAsync(8, physical: true);
        await using var client = new Client(engine, new WatchLimits());
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { StartRevision = 3 });
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { StartRevision = 8 });
        await Eventually.True(() => client.Replies.Any(r => r.Canceled) && client.Events.Count == 4, "cancel and events");
        var cancel = client.Replies.Single(r => r.Canceled);
        Assert.Equal((0L, 8L), (cancel.WatchId, cancel.CompactRevision));
        Assert.Equal([8, 9, 10, 11], client.Events.Select(e => e.ModRevision));
    }

    [Fact]
    public async Task Filters_previous_values_ids_and_cancel()
    {
        await using var engine = Kv.Open(new MemoryFiles());
        await using var client = new Client(engine, new WatchLimits());
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { NoPut = true, PrevKv = true, WatchId = 7 });
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { NoDelete = true });
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { WatchId = 7 });
        client.Stream.Create(new WatchCreation(KeyRange.Of(Kv.B("b"), Kv.B("a"))));
        await engine.PutAsync("a", "1");
        await engine.DeleteAsync("a");
        await Eventually.True(() => client.Events.Count == 2, "both events");
        client.Stream.Cancel(7);
        client.Stream.Cancel(99);
        await Eventually.True(() => client.Replies.Count(r => r.Canceled) == 3, "cancelled");
        await engine.PutAsync("a", "2");
        await engine.DeleteAsync("a");
        await Eventually.True(() => client.Events.Count == 3, "only the put");
        var parsed = client.Replies.Where(r => r.WatchId == 7 && r.Events.Count > 0).Select(Client.Parse).Single();
        Assert.Equal("1", parsed.Events[0].PrevKv.Value.ToStringUtf8());
        Assert.Equal(["mvcc: duplicate watch ID provided on the WatchStream", "mvcc: watcher range is empty"],
            client.Replies.Where(r => r is { Created: true, Canceled: true }).Select(r => r.CancelReason));
    }

    [Fact]
    public async Task Progress_never_overtakes_an_event()
    {
        await using var engine = Kv.Open(new MemoryFiles());
        await using var client = new Client(engine, new WatchLimits());
        client.Stream.Create(new WatchCreation(KeyRange.Of(Kv.B("a"), Kv.B("b"))));
        for (var i = 0; i < 200; i++)
        {
            await engine.PutAsync("a", $"{i}");
            client.Stream.RequestProgress();
            if (i % 20 == 0) await engine.PutAsync("other", "x");
        }

        var last = engine.Store.Published.Revision;
        client.Stream.RequestProgress();
        await Eventually.True(() => client.Replies.Any(r => r.WatchId == -1 && r.Revision >= last), "progress");
        long seen = 0, promised = 0;
        foreach (var reply in client.Replies)
        {
            if (reply.WatchId == -1) promised = Math.Max(promised, reply.Revision);
            foreach (var e in reply.Events)
            {
                Assert.True(e.ModRevision > promised, "an event after the progress that covered it");
                seen = e.ModRevision;
            }
        }

        Assert.True(seen > 0);
    }

    [Fact]
    public async Task Quiet_watches_hear_the_revision_at_the_interval()
    {
        var time = new ManualTime();
        await using var engine = Kv.Open(new MemoryFiles(), time);
        await using var client = new Client(engine, new WatchLimits());
        client.Stream.Create(new WatchCreation(KeyRange.Single(Kv.B("a"))) { ProgressNotify = true });
        await engine.PutAsync("b", "1");
        await Eventually.True(() => client.Replies.Count == 1, "created");
        time.Advance(TimeSpan.FromMinutes(10));
        await Eventually.True(() => client.Replies.Count == 2, "progress");
        Assert.Equal((0L, 2L, 0), (client.Replies.Last().WatchId, client.Replies.Last().Revision, client.Replies.Last().Events.Count));
    }

    [Fact]
    public void Fragments_and_whole_revisions()
    {
        var limits = new WatchLimits { AnswerBytes = 1000, FragmentBytes = 500 };
        var events = new List<KeyVersion>();
        for (var i = 0; i < 40; i++) events.Add(Version(i / 10 + 2, i % 10));
        foreach (var fragment in (bool[])[false, true])
        {
            var replies = new List<WatchReply>();
            EventSplitter.Split(new Watcher(null!, 1, KeyRange.Everything) { Fragment = fragment }, events, 5, limits, replies);
            Assert.Equal(events, replies.SelectMany(r => r.Events));
            long open = 0;
            foreach (var reply in replies)
            {
                if (open != 0) Assert.Equal(open, reply.Events[0].ModRevision);
                open = reply.Fragment ? reply.Events[^1].ModRevision : 0;
                if (!fragment) Assert.False(reply.Fragment);
                if (fragment) Assert.True(reply.Size <= 600, $"{reply.Size}");
                if (!reply.Fragment && reply != replies[^1]) Assert.NotEqual(reply.Events[^1].ModRevision, replies[replies.IndexOf(reply) + 1].Events[0].ModRevision);
            }
        }

        static KeyVersion Version(long revision, int sub) =>
            new() { Entry = new KeyEntry(Kv.B($"key{sub}")), Data = new byte[50], ValueLength = 50, ModRevision = revision, Sub = sub, CreateRevision = 1, Version = 1 };
    }

    /// <summary>Thousands of ranges and keys: the index finds what a plain search finds.</summary>
    [Fact]
    public void Index_matches_as_a_plain_search_does()
    {
        var random = new Random(3);
        var index = new WatcherIndex();
        var all = new List<Watcher>();
        for (var step = 0; step < 3000; step++)
        {
            if (all.Count > 0 && random.Next(4) == 0)
            {
                var at = random.Next(all.Count);
                index.Remove(all[at]);
                all.RemoveAt(at);
            }
            else
            {
                var start = Key(random);
                var range = random.Next(3) switch { 0 => KeyRange.Single(start), 1 => KeyRange.Of(start, Key(random)), _ => KeyRange.Of(start, random.Next(20) == 0 ? new byte[] { 0 } : [.. start, 0xff]) };
                var watcher = new Watcher(null!, step, range);
                all.Add(watcher);
                index.Add(watcher);
            }

            if (step % 10 != 0) continue;
            var key = Key(random);
            var found = new List<Watcher>();
            index.Match(key, found);
            Assert.Equal(all.Where(w => w.Range.Contains(key)).Select(w => w.Id).Order(), found.Select(w => w.Id).Order());
        }

        static byte[] Key(Random random)
        {
            var key = new byte[1 + random.Next(3)];
            for (var i = 0; i < key.Length; i++) key[i] = (byte)('a' + random.Next(4));
            return key;
        }
    }

    private sealed class Client : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private readonly CancellationTokenSource _stop = new();
        private readonly List<WatchReply> _replies = [];
        private readonly Task _sender;

        public Client(StoreEngine engine, WatchLimits limits, bool delay = false)
        {
            Stream = new WatchStream(engine.Hub, limits, engine.Time);
            _sender = Stream.RunAsync(
                async (reply, _) =>
                {
                    if (delay) await Task.Delay(5);
                    Assert.True(reply.Size > 0); // measured when sent, as on the wire
                    lock (_lock) _replies.Add(reply);
                },
                _stop.Token);
        }

        public WatchStream Stream { get; }

        public List<WatchReply> Replies
        {
            get { lock (_lock) return [.. _replies]; }
        }

        public List<KeyVersion> Events => [.. Replies.SelectMany(r => r.Events)];

        public static Mesh.Rpc.Etcd.WatchResponse Parse(WatchReply reply)
        {
            var bytes = new byte[reply.Size];
            var writer = new ProtoWriter(bytes);
            reply.Write(ref writer);
            return Mesh.Rpc.Etcd.WatchResponse.Parser.ParseFrom(bytes);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _sender.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Stream.Dispose();
            _stop.Dispose();
        }
    }
}
