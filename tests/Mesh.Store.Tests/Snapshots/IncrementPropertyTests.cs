using Google.Protobuf;
using Mesh.Store.Commit;
using Mesh.Store.Snapshots;
using Mesh.Store.Tests.Support;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Snapshots;

/// <summary>
/// Random histories: what is read from a base and its increments, without the log, is to the byte what a whole snapshot at the same point holds, and what watches find is the same.
/// </summary>
public class IncrementPropertyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Base_and_increments_are_the_state(int seed)
    {
        for (var more = 0; more < Proofs.CrashPointTests.Rounds("MESH_CRASH_SEEDS"); more++) await RunAsync(seed + (more * 1000), KnownBugs.None);
    }

    [Fact]
    public async Task The_known_bug_is_found() =>
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(async () =>
        {
            for (var seed = 1; seed < 6; seed++) await RunAsync(seed, KnownBugs.ForgetCompacted);
        });

    private static async Task RunAsync(int seed, KnownBugs bugs)
    {
        var random = new Random(seed);
        var files = new MemoryFiles();
        var longest = 0;
        var engine = Kv.Open(files, change: Settings);
        try
        {
            for (var step = 0; step < 700; step++)
            {
                await ChangeAsync(engine, random, step);
                switch (random.Next(60))
                {
                    case < 4:
                        await engine.SnapshotAsync(whole: random.Next(12) == 0);
                        longest = Math.Max(longest, files.List("/db/snap").Count);
                        await SameAsync(engine, files, log: false, $"seed {seed}, step {step}");
                        break;
                    case 4:
                        // While it is written the store goes on.
                        var writing = engine.SnapshotAsync();
                        for (var i = 0; i < 10; i++) await ChangeAsync(engine, random, step);
                        await writing;
                        await SameAsync(engine, files, log: true, $"seed {seed}, step {step}, beside writes");
                        break;
                    case 5:
                        await HeldAsync(engine, files, random, $"seed {seed}, step {step}");
                        break;
                    case 6:
                        await engine.DisposeAsync();
                        engine = Kv.Open(files, change: Settings);
                        break;
                }
            }

            Assert.True(longest > 4, $"the longest chain had {longest} files");
        }
        finally
        {
            await engine.DisposeAsync();
        }

        void Settings(StoreOptions o) => (o.SegmentBytes, o.Bugs) = (4096, bugs);
    }

    /// <summary>Opens a copy of the disk, with the log or without, and compares all there is.</summary>
    private static async Task SameAsync(StoreEngine engine, MemoryFiles files, bool log, string what)
    {
        var expected = await engine.StateAsync();
        var copy = files.Copy();
        if (!log) foreach (var path in copy.List("/db/wal")) copy.Delete(path);
        await using var again = Kv.Open(copy);
        var found = await again.StateAsync();
        Assert.True(expected == found, $"{what}:\n{expected}\n---\n{found}");
    }

    /// <summary>A capture is the same whenever it is written out, whatever is written, compacted and revoked meanwhile.</summary>
    private static async Task HeldAsync(StoreEngine engine, MemoryFiles files, Random random, string what)
    {
        if (files.List("/db/snap") is not [.., var newest]) return;
        SnapshotLink link;
        using (var machine = new StateMachine(TimeProvider.System)) link = SnapshotChain.Read(files, newest, machine).Files[^1].Link;
        var capture = await engine.CaptureAsync(link);
        var atOnce = WholeState.Bytes(capture);
        for (var i = 0; i < 30; i++) await ChangeAsync(engine, random, i);
        Assert.True(atOnce.AsSpan().SequenceEqual(WholeState.Bytes(capture)), what + ": the increment changed while it was held");
        await engine.ReleaseAsync(capture);
    }

    private static async Task ChangeAsync(StoreEngine engine, Random random, int step)
    {
        var key = "k" + random.Next(12);
        var lease = random.Next(1, 6);
        var revision = engine.Store.Published.Revision;
        try
        {
            switch (random.Next(24))
            {
                case < 8:
                    await engine.PutAsync(key, $"v{step}");
                    break;
                case < 10:
                    await engine.PutAsync(key, $"v{step}", lease);
                    break;
                case < 13:
                    await engine.DeleteAsync(key);
                    break;
                case 13:
                    await engine.DeleteAsync(key, "k5");
                    break;
                case < 17:
                    await engine.TxnAsync(new Pb.TxnRequest { Success = { Delete(key), Put("k1" + random.Next(3), $"t{step}"), Put("t", $"t{step}") } });
                    break;
                case < 19:
                    await engine.ProposeAsync(new LeaseGrantCommand(lease, 1000 + step));
                    break;
                case 19:
                    await engine.ProposeAsync(new LeaseRevokeCommand(lease));
                    break;
                case 20:
                    await engine.ProposeAsync(new LeaseCheckpointCommand([(lease, random.Next(1, 900))]));
                    break;
                case 21:
                    await engine.ProposeAsync(random.Next(2) == 0
                        ? new AlarmCommand(Alarm.Corrupt, random.Next(2) == 0)
                        : new AccessCommand(Access.AccessChanges.AddUser(Access.AccessState.Empty, "user" + step, null).Encode()));
                    break;
                default:
                    // Often right at a deletion, or at the newest revision.
                    await engine.CompactAsync(Math.Max(1, revision - (random.Next(3) == 0 ? 0 : random.Next(12))), physical: random.Next(2) == 0);
                    break;
            }
        }
        catch (StoreException)
        {
            // Refusals (lease there already, or not; compacted already; the same key twice) are part of the history.
        }
    }

    private static Pb.RequestOp Put(string key, string value) => new() { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } };

    private static Pb.RequestOp Delete(string key) => new() { RequestDeleteRange = new Pb.DeleteRangeRequest { Key = ByteString.CopyFromUtf8(key) } };
}
