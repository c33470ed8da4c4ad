using System.Collections.Concurrent;
using Grpc.Core;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Commit;

public class DurabilityTests
{
    /// <summary>The power goes while clients write; what was not synced is kept or lost sector by sector. Every acknowledged write must be there.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Nothing_acknowledged_is_lost_in_a_crash(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 15; round++)
        {
            var files = new MemoryFiles();
            MemoryFiles? after = null;
            var acknowledged = new ConcurrentDictionary<string, long>();
            Dictionary<string, long> required = [];
            var syncs = 0;
            var crashAt = random.Next(3, 60);
            var gate = new Lock();
            files.BeforeSync = () =>
            {
                if (Interlocked.Increment(ref syncs) != crashAt) return;
                lock (gate)
                {
                    required = new(acknowledged);
                    after = files.Crash(random);
                }
            };
            await using (var engine = Kv.Open(files, change: o => o.SegmentBytes = 8192))
            {
                var clients = Enumerable.Range(0, 8).Select(c => Task.Run(async () =>
                {
                    for (var i = 0; i < 200 && after is null; i++)
                    {
                        var reply = await engine.PutAsync($"c{c}", $"{i} " + new string('x', 100 + i % 700));
                        acknowledged[$"c{c}"] = reply.Revision;
                        if (c == 0 && i % 40 == 39) await engine.SnapshotAsync();
                    }
                }));
                await Task.WhenAll(clients);
            }

            if (after is null) continue;
            await using var again = Kv.Open(after, change: o => o.SegmentBytes = 8192);
            foreach (var (key, revision) in required) Assert.True(again.Get(key).Kvs[0].ModRevision >= revision, $"seed {seed} round {round}: {key} at {revision} lost");
            await again.PutAsync("after", "crash");
            Assert.Equal(1, again.Get("after").Count);
        }
    }

    [Fact]
    public async Task After_a_failed_sync_nothing_is_answered_done_and_nothing_more_is_taken()
    {
        var files = new MemoryFiles();
        await using var engine = Kv.Open(files);
        Exception? failed = null;
        engine.Failed += e => failed = e;
        await engine.PutAsync("a", "1");
        files.FailSync = true;
        var refusal = await Assert.ThrowsAsync<StoreException>(async () => await engine.PutAsync("a", "2"));
        Assert.Equal(StatusCode.Unavailable, refusal.Code);
        await Eventually.True(() => failed is not null, "failure reported");
        files.FailSync = false;
        await Assert.ThrowsAsync<StoreException>(async () => await engine.PutAsync("a", "3"));
        Assert.Equal("1", Kv.S(engine.Get("a").Kvs[0].Value));
    }

    [Fact]
    public async Task A_full_disk_refuses_writes_serves_reads_and_recovers()
    {
        var files = new MemoryFiles();
        await using var engine = Kv.Open(files, change: o => o.SegmentBytes = 2048);
        await engine.PutAsync("a", "1");
        files.Full = true;
        StoreException? refusal = null;
        for (var i = 0; i < 50 && refusal is null; i++)
        {
            try
            {
                await engine.PutAsync("b", new string('x', 300));
            }
            catch (StoreException e)
            {
                refusal = e;
            }
        }

        Assert.Equal("etcdserver: mvcc: database space exceeded", refusal!.Message);
        Assert.Equal("1", Kv.S(engine.Get("a").Kvs[0].Value));
        Assert.Contains(Alarm.NoSpace, engine.Alarms);
        files.Full = false;
        await engine.PutAsync("a", "2");
        Assert.Empty(engine.Alarms);
        Assert.Equal("2", Kv.S(engine.Get("a").Kvs[0].Value));
    }

    [Fact]
    public async Task Over_quota_raises_the_alarm_until_it_is_disarmed()
    {
        var files = new MemoryFiles();
        await using var engine = Kv.Open(files, change: o => o.QuotaBytes = 4000);
        for (var i = 0; i < 20; i++) await engine.PutAsync("a", new string('x', 300));
        Assert.Equal("etcdserver: mvcc: database space exceeded", Assert.Throws<StoreException>(engine.EnsureSpace).Message);
        await Eventually.True(() => engine.Alarms.Contains(Alarm.NoSpace), "alarm raised");
        await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
        Assert.Throws<StoreException>(engine.EnsureSpace);
        await engine.ProposeAsync(new Store.Commit.AlarmCommand(Alarm.NoSpace, false));
        engine.EnsureSpace();
    }

    [Fact]
    public async Task The_log_is_bounded_by_snapshots_and_everything_survives_restart()
    {
        var files = new MemoryFiles();
        await using (var engine = Kv.Open(files, change: o => (o.SegmentBytes, o.SnapshotLogBytes) = (8192, 32768)))
        {
            for (var i = 0; i < 600; i++)
            {
                await engine.PutAsync($"k{i % 10}", new string('x', 300) + i);
                if (i % 50 == 0) await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
            }

            await Eventually.True(() => files.List("/db/snap").Any(p => p.EndsWith(".snap", StringComparison.Ordinal)), "a snapshot");
            await Eventually.True(() => files.List("/db/wal").Count < 12, "old segments deleted");
        }

        await using var again = Kv.Open(files);
        Assert.Equal(10, again.Get("k", "l").Count);
        Assert.EndsWith("x599", Kv.S(again.Get("k9").Kvs[0].Value), StringComparison.Ordinal);
        Assert.Equal(60, again.Get("k9").Kvs[0].Version);
    }
}
