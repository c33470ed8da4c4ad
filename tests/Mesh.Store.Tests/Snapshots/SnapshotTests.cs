using Mesh.Store.Commit;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wal;

namespace Mesh.Store.Tests.Snapshots;

public class SnapshotTests
{
    [Fact]
    public async Task A_flipped_bit_anywhere_is_refused()
    {
        var files = new MemoryFiles();
        await using (var engine = Kv.Open(files))
        {
            for (var i = 0; i < 5; i++) await engine.PutAsync($"k{i}", $"value {i}");
            await engine.ProposeAsync(new LeaseGrantCommand(5, 60));
            await engine.PutAsync("leased", "x", lease: 5);
            await engine.DeleteAsync("k1");
            await engine.SnapshotAsync();
        }

        var path = files.List("/db/snap").Single();
        var whole = files.Content(path);
        Assert.Equal(0, whole.Length % 512);
        for (var at = 0; at < whole.Length; at++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            var copy = files.Copy();
            copy.SetContent(path, damaged);
            var thrown = Record.Exception(() => Kv.Open(copy));
            Assert.True(thrown is StoreCorruptException or StoreFormatException, $"byte {at}: {thrown?.GetType().Name ?? "opened"}");
        }
    }

    [Fact]
    public async Task Leases_alarms_users_and_history_survive()
    {
        var files = new MemoryFiles();
        string dump;
        await using (var engine = Kv.Open(files))
        {
            await engine.ProposeAsync(new LeaseGrantCommand(5, 600));
            await engine.PutAsync("leased", "x", lease: 5);
            await engine.PutAsync("a", "1");
            await engine.PutAsync("a", "2");
            await engine.ProposeAsync(new AlarmCommand(Alarm.NoSpace, true));
            await engine.ProposeAsync(new AccessCommand(Access.AccessChanges.AddUser(Access.AccessState.Empty, "bob", null).Encode()));
            dump = engine.Dump(3);
            await engine.SnapshotAsync();
        }

        await using var again = Kv.Open(files);
        Assert.Equal(dump, again.Dump(3));
        Assert.Contains(Alarm.NoSpace, again.Alarms);
        Assert.True(again.Access.Users.ContainsKey("bob"));
        Assert.Equal(600, again.Lessor.Describe(5, true)!.Value.Granted);
        await again.ProposeAsync(new LeaseRevokeCommand(5));
        Assert.Equal(0, again.Get("leased").Count);
    }

    /// <summary>Writes and compactions while a snapshot is being written must not change what it restores to.</summary>
    [Fact]
    public async Task A_snapshot_under_writes_and_compaction_is_exact()
    {
        var files = new MemoryFiles();
        await using var engine = Kv.Open(files);
        for (var i = 0; i < 500; i++) await engine.PutAsync($"k{i}", "old");
        var capture = await engine.CaptureAsync();
        var expected = engine.Dump(capture.Header.Revision);
        for (var i = 0; i < 500; i++) await engine.PutAsync($"k{i}", "new");
        await engine.CompactAsync(engine.Store.Published.Revision, physical: false);
        await engine.PutAsync("z", "1");
        var restored = new MemoryFiles();
        new Mesh.Store.Snapshots.SnapshotFiles(restored, "/db/snap").Write(capture, CancellationToken.None);
        await engine.ReleaseAsync(capture);
        await using var again = Kv.Open(restored);
        Assert.Equal(expected, again.Dump());
    }
}
