using Mesh.Store.Commit;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Leases;

public class LeaseTests
{
    [Fact]
    public async Task An_unrenewed_lease_takes_its_keys_in_one_revision()
    {
        var time = new ManualTime();
        await using var engine = Kv.Open(new MemoryFiles(), time);
        await engine.ProposeAsync(new LeaseGrantCommand(1, 10));
        await engine.PutAsync("a", "1", lease: 1);
        await engine.PutAsync("b", "1", lease: 1);
        await engine.PutAsync("c", "1");
        var before = engine.Store.Published.Revision;
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(10, engine.Lessor.Renew(1, out _));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(3, engine.Get("a", "z").Count);
        time.Advance(TimeSpan.FromSeconds(2));
        await Eventually.True(() => engine.Get("a", "z").Count == 1, "lease expired");
        Assert.Equal(before + 1, engine.Store.Published.Revision);
        Assert.Equal(0, engine.Lessor.Renew(1, out _));
    }

    [Fact]
    public async Task A_key_belongs_to_the_lease_of_its_last_put()
    {
        await using var engine = Kv.Open(new MemoryFiles(), new ManualTime());
        await engine.ProposeAsync(new LeaseGrantCommand(1, 10));
        await engine.ProposeAsync(new LeaseGrantCommand(2, 10));
        await engine.PutAsync("a", "1", lease: 1);
        await engine.PutAsync("a", "2", lease: 2);
        await engine.PutAsync("b", "1", lease: 1);
        await engine.DeleteAsync("b");
        Assert.Empty(engine.Lessor.Describe(1, keys: true)!.Value.Keys);
        await engine.ProposeAsync(new LeaseRevokeCommand(1));
        Assert.Equal(1, engine.Get("a").Count);
        Assert.Equal("etcdserver: requested lease not found", (await Assert.ThrowsAsync<StoreException>(async () => await engine.PutAsync("a", "3", lease: 1))).Message);
        Assert.Equal("etcdserver: lease already exists", (await Assert.ThrowsAsync<StoreException>(async () => await engine.ProposeAsync(new LeaseGrantCommand(2, 10)))).Message);
    }

    [Fact]
    public async Task A_restart_gives_full_time_or_the_last_checkpoint()
    {
        var files = new MemoryFiles();
        var time = new ManualTime();
        await using (var engine = Kv.Open(files, time))
        {
            await engine.ProposeAsync(new LeaseGrantCommand(1, 100));
            await engine.ProposeAsync(new LeaseGrantCommand(2, 3600));
            engine.Checkpoints.Note();
            time.Advance(TimeSpan.FromSeconds(99));
            Assert.Equal(100, engine.Lessor.Renew(1, out _));
            time.Advance(TimeSpan.FromSeconds(99));
            Assert.Equal(100, engine.Lessor.Renew(1, out _));
            time.Advance(TimeSpan.FromSeconds(99));
            Assert.Equal(100, engine.Lessor.Renew(1, out _));
            time.Advance(TimeSpan.FromSeconds(10));
            await engine.PutAsync("flush", "behind the checkpoint");
        }

        await using var again = Kv.Open(files, new ManualTime());
        Assert.Equal(100, again.Lessor.Describe(1, false)!.Value.Remaining);
        Assert.InRange(again.Lessor.Describe(2, false)!.Value.Remaining, 3200, 3300);
    }

    [Fact]
    public async Task Idle_means_no_timer_at_all()
    {
        var time = new ManualTime();
        await using var engine = Kv.Open(new MemoryFiles(), time, o => o.AutoCompaction = AutoCompactionMode.Periodic);
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, time.Armed);
        await engine.ProposeAsync(new LeaseGrantCommand(1, 5));
        Assert.Equal(1, time.Armed);
        time.Advance(TimeSpan.FromSeconds(6));
        await Eventually.True(() => engine.Lessor.Count == 0, "expired");
        Assert.Equal(0, time.Armed);
    }

    [Fact]
    public async Task Periodic_compaction_drops_old_history_and_then_rests()
    {
        var time = new ManualTime();
        await using var engine = Kv.Open(new MemoryFiles(), time, o => o.AutoCompaction = AutoCompactionMode.Periodic);
        for (var i = 0; i < 100; i++) await engine.PutAsync("lease", $"{i}");
        for (var i = 0; i < 12; i++) time.Advance(TimeSpan.FromSeconds(30));
        await Eventually.True(() => engine.Store.CompactRevision == 101 && engine.Store.History.Count == 1, "compacted");
        for (var i = 0; i < 12; i++) time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, time.Armed);
    }
}
