using Mesh.Store.Commit;
using Mesh.Store.Snapshots;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wal;

namespace Mesh.Store.Tests.Snapshots;

/// <summary>A base and its increments as files: what is damaged, missing, foreign or left over.</summary>
public class SnapshotChainTests
{
    [Fact]
    public async Task An_increment_holds_what_changed_and_a_restart_needs_no_log()
    {
        var files = new MemoryFiles();
        string state;
        await using (var engine = await ChainAsync(files, keys: 300)) state = await engine.StateAsync();
        var paths = Chain(files);
        Assert.Equal(3, paths.Count);
        Assert.All(paths.Skip(1), p => Assert.True(files.Content(p).Length * 4 < files.Content(paths[0]).Length, $"{p} has {files.Content(p).Length} bytes"));
        foreach (var log in files.List("/db/wal")) files.Delete(log);
        await using var again = Kv.Open(files);
        Assert.Equal(state, await again.StateAsync());
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_in_any_file_is_refused()
    {
        var files = new MemoryFiles();
        await using (await ChainAsync(files, keys: 2)) { }
        foreach (var path in Chain(files))
        {
            var whole = files.Content(path);
            for (var at = 0; at < whole.Length; at++)
            {
                var damaged = (byte[])whole.Clone();
                damaged[at] ^= (byte)(1 << (at % 8));
                Refused(files, path, damaged, $"byte {at}");
            }
        }
    }

    [Fact]
    public async Task Every_cut_of_any_file_is_refused()
    {
        var files = new MemoryFiles();
        await using (await ChainAsync(files, keys: 2)) { }
        foreach (var path in Chain(files))
        {
            var whole = files.Content(path);
            for (var length = 0; length < whole.Length; length++) Refused(files, path, whole[..length], $"cut to {length}");
        }
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        var files = new MemoryFiles();
        await using (await ChainAsync(files, keys: 2)) { }
        var paths = Chain(files);
        for (var missing = 0; missing < 2; missing++)
        {
            var copy = files.Copy();
            copy.Delete(paths[missing]);
            var refusal = Assert.Throws<StoreCorruptException>(() => Kv.Open(copy));
            Assert.Contains(paths[missing], refusal.Message, StringComparison.Ordinal);
            Assert.Contains(paths[missing + 1], refusal.Message, StringComparison.Ordinal);
            Assert.Equal(2, Chain(copy).Count); // nothing was cleaned away
        }

        // Without the newest increment the log would have a gap.
        var shorter = files.Copy();
        shorter.Delete(paths[2]);
        Assert.Contains("are missing", Assert.Throws<StoreCorruptException>(() => Kv.Open(shorter)).Message, StringComparison.Ordinal);
    }

    /// <summary>Whole files, each with its checksums right, of two stores that had the same commands but for one value.</summary>
    [Fact]
    public async Task A_file_of_another_history_is_refused()
    {
        MemoryFiles one = new(), other = new();
        StoreIdentity identity;
        await using (var engine = Kv.Open(one))
        {
            await engine.PutAsync("first", "1");
            identity = engine.Identity;
            await engine.SnapshotAsync();
        }

        foreach (var path in one.List("/db/snap").Concat(one.List("/db/wal"))) other.SetContent(path, one.Content(path));
        foreach (var (files, value) in new[] { (one, "a"), (other, "b") })
        {
            await using var engine = Kv.Open(files);
            Assert.Equal(identity, engine.Identity);
            for (var i = 0; i < 2; i++)
            {
                await engine.PutAsync("k", value);
                await engine.SnapshotAsync();
            }
        }

        var middle = Chain(one)[1];
        one.SetContent(middle, other.Content(middle));
        var refusal = Assert.Throws<StoreCorruptException>(() => Kv.Open(one));
        Assert.Contains(middle, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("checksum", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_format_is_named_and_a_base_keeps_the_first()
    {
        var files = new MemoryFiles();
        await using (await ChainAsync(files, keys: 2)) { }
        var paths = Chain(files);
        Assert.Equal([1, 2, 2], paths.Select(p => BitConverter.ToInt32(files.Content(p), 8)));
        var newer = files.Content(paths[2]);
        newer[8] = 3;
        BitConverter.TryWriteBytes(newer.AsSpan(68), Crc32C.Compute(newer.AsSpan(0, 68)));
        files.SetContent(paths[2], newer);
        Assert.Contains("format version 3; this build reads up to 2", Assert.Throws<StoreFormatException>(() => Kv.Open(files)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_base_ends_the_chain_and_leftovers_go()
    {
        var files = new MemoryFiles();
        string state;
        var before = new MemoryFiles();
        await using (var engine = await ChainAsync(files, keys: 2))
        {
            before = files.Copy();
            await engine.SnapshotAsync(whole: true); // at the index of the last increment
            Assert.Equal([Chain(before)[2]], Chain(files));
            await engine.PutAsync("more", "x");
            await engine.SnapshotAsync();
            await engine.SnapshotAsync(whole: true);
            Assert.Single(Chain(files));
            await engine.PutAsync("more", "y");
            await engine.SnapshotAsync();
            Assert.Equal(2, Chain(files).Count);
            state = await engine.StateAsync();
        }

        // What an interrupted change may leave: the old chain, or half of a file.
        var chain = Chain(files);
        foreach (var path in Chain(before)) files.SetContent(path, before.Content(path));
        files.SetContent("/db/snap/00000000000000009999.snap.tmp", [1, 2, 3]);
        await using var again = Kv.Open(files);
        Assert.Equal(state, await again.StateAsync());
        Assert.Equal(chain, files.List("/db/snap"));
    }

    /// <summary>What the chain takes on disk, and so what a restart reads, follows the live data, not the writes.</summary>
    [Fact]
    public async Task The_chain_is_bounded_by_the_live_data()
    {
        var files = new MemoryFiles();
        var bases = new HashSet<string>();
        await using var engine = Kv.Open(files, change: o => o.SnapshotLogBytes = 4096);
        for (var i = 0; i < 1500; i++)
        {
            await engine.PutAsync($"k{i % 20}", new string('x', 300));
            if (i % 40 == 39) await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
            if (i % 10 != 9) continue;
            await engine.SnapshotAsync();
            bases.Add(Chain(files)[0]);
        }

        await engine.SnapshotAsync();
        var bytes = Chain(files).Sum(p => (long)files.Content(p).Length);
        // Twice the live data (with 40 revisions of history), the slack, and one increment of at most all that was live.
        Assert.InRange(bytes, 1, (3 * 60 * (300 + 160 + 10)) + 4096);
        Assert.InRange(bases.Count, 2, 75);
        await engine.DeleteAsync("k", "l");
        await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
        for (var i = 0; i < 3; i++)
        {
            await engine.PutAsync("k", "last");
            await engine.SnapshotAsync();
        }

        Assert.InRange(Chain(files).Sum(p => (long)files.Content(p).Length), 1, 8192);
    }

    [Fact]
    public async Task The_number_of_files_is_bounded()
    {
        var files = new MemoryFiles();
        await using var engine = Kv.Open(files);
        var most = 0;
        for (var i = 0; i < 80; i++)
        {
            await engine.PutAsync("k", "v");
            await engine.SnapshotAsync();
            most = Math.Max(most, Chain(files).Count);
        }

        Assert.Equal(SnapshotFiles.MaxIncrements + 1, most);
    }

    /// <summary>A base and two increments with a deletion that compaction took away, a key made anew, and leases that come and go.</summary>
    private static async Task<StoreEngine> ChainAsync(MemoryFiles files, int keys)
    {
        var engine = Kv.Open(files, change: static o => o.SegmentBytes = 256);
        for (var i = 0; i < keys; i++) await engine.PutAsync($"k{i}", $"value {i}");
        await engine.ProposeAsync(new LeaseGrantCommand(5, 60));
        await engine.PutAsync("leased", "x", lease: 5);
        await engine.PutAsync("again", "1");
        await engine.SnapshotAsync();
        await engine.DeleteAsync("k1");
        await engine.DeleteAsync("again");
        await engine.PutAsync("k0", "new");
        await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
        await engine.PutAsync("again", "2");
        await engine.SnapshotAsync();
        await engine.ProposeAsync(new LeaseGrantCommand(6, 600));
        await engine.PutAsync("other", "x", lease: 6);
        await engine.ProposeAsync(new LeaseRevokeCommand(5));
        await engine.CompactAsync(engine.Store.Published.Revision, physical: true);
        await engine.SnapshotAsync();
        return engine;
    }

    private static List<string> Chain(MemoryFiles files) => [.. files.List("/db/snap")];

    private static void Refused(MemoryFiles files, string path, byte[] content, string what)
    {
        var copy = files.Copy();
        copy.SetContent(path, content);
        var thrown = Record.Exception(() => Kv.Open(copy));
        Assert.True(thrown is StoreCorruptException or StoreFormatException, $"{path}, {what}: {thrown?.GetType().Name ?? "opened"}");
    }
}
