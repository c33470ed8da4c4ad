using Google.Protobuf;
using Mesh.Store.Commit;
using Mesh.Store.Tests.Support;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Proofs;

/// <summary>
/// The power goes before and after every single step of the write path: each append, fsync, allocation, creation, rename, removal, directory sync, and so
/// every point of segment rolling, snapshots (bases, increments, a base in the place of a chain), compaction and lease changes. What was not synced is thrown away sector by sector, in ways that the seed chooses.
/// </summary>
public class CrashPointTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_step_of_the_write_path_may_be_the_last(int seed)
    {
        for (var more = 0; more < Rounds("MESH_CRASH_SEEDS"); more++)
        {
            var (images, steps) = await RunAsync(seed + (more * 1000), KnownBugs.None);
            foreach (var name in (string[])["log write", "log sync", "log allocate", "snapshot write", "snapshot sync", "create", "rename", "delete", "sync directory"])
            {
                Assert.True(steps.Contains(name + " before") && steps.Contains(name + " after"), "the run had no " + name);
            }

            Assert.True(images > 500, $"{images} crashes");
        }
    }

    [Theory]
    [InlineData(nameof(KnownBugs.SkipSync))]
    [InlineData(nameof(KnownBugs.ReuseRevision))]
    [InlineData(nameof(KnownBugs.ForgetCompacted))]
    public async Task A_known_bug_is_found(string bug)
    {
        var found = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(async () =>
        {
            for (var seed = 1; seed < 6; seed++) await RunAsync(seed, Enum.Parse<KnownBugs>(bug));
        });
        Assert.Contains("seed", found.Message, StringComparison.Ordinal);
    }

    internal static int Rounds(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var rounds) ? rounds : 1;

    private async Task<(int Images, HashSet<string> Steps)> RunAsync(int seed, KnownBugs bugs)
    {
        var random = new Random(seed);
        var history = new History("crash-points-" + bugs, seed);
        var files = new MemoryFiles();
        var model = new Dictionary<long, string> { [1] = "" };
        var states = new Dictionary<ulong, string>(); // by record: state is a function of the log
        var images = new List<(string Step, MemoryFiles Files, long Acknowledged, long Compacted)>();
        var steps = new HashSet<string>();
        long acknowledged = 1, compacted = -1;
        var (snapshots, chains) = (0, new HashSet<int>());
        void Change(StoreOptions o) => (o.SegmentBytes, o.Bugs) = (2048, bugs);
        await using (var engine = Kv.Open(files, change: Change))
        {
            await engine.PutAsync("first", "1");
            model[2] = engine.Dump();
            states[engine.DurableIndex] = await engine.StateAsync();
            acknowledged = 2;
            files.OnStep = step =>
            {
                steps.Add(step);
                images.Add((step, files.Crash(random), Volatile.Read(ref acknowledged), Volatile.Read(ref compacted)));
            };
            for (var i = 0; i < 80; i++)
            {
                await ChangeAsync(engine, random, history);
                var revision = engine.Store.Published.Revision;
                model[revision] = engine.Dump();
                states[engine.DurableIndex] = await engine.StateAsync();
                Volatile.Write(ref acknowledged, revision);
                if (i % 9 == 8 && revision - 2 > engine.Store.CompactRevision)
                {
                    Volatile.Write(ref compacted, await CompactAsync(engine, revision - 2));
                    states[engine.DurableIndex] = await engine.StateAsync();
                }

                if (i % 6 != 5) continue;
                await engine.SnapshotAsync(whole: ++snapshots % 5 == 0);
                chains.Add(files.List("/db/snap").Count);
            }

            Assert.Superset(new HashSet<int> { 1, 2, 3, 4, 5 }, chains);

            files.OnStep = null;
        }

        foreach (var (step, after, required, below) in images)
        {
            history.Add(new { step, required, below });
            try
            {
                await VerifyAsync(after, required, below, model, states, Change);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException || !e.Message.Contains("history in", StringComparison.Ordinal))
            {
                history.Add(new { step, failed = e.Message });
                Assert.Fail($"crash at \"{step}\", {required} acknowledged: {e.Message} ({history.Save()})");
            }
        }

        output.WriteLine($"{images.Count} crashes, {steps.Count} kinds of steps, {history.Save()}");
        return (images.Count, steps);
    }

    private static async Task VerifyAsync(MemoryFiles after, long required, long compacted, Dictionary<long, string> model, Dictionary<ulong, string> states, Action<StoreOptions> change)
    {
        long revision;
        await using (var again = Kv.Open(after, change: change))
        {
            revision = again.Store.Published.Revision;
            Assert.True(revision >= required, $"revision {revision}");
            Assert.True(again.Store.CompactRevision >= compacted, $"compacted at {again.Store.CompactRevision}, {compacted} acknowledged");
            Assert.Equal(model[revision], again.Dump());
            Assert.Equal(states[again.DurableIndex], await again.StateAsync());
            for (var old = Math.Max(again.Store.CompactRevision, 2); old < revision; old++) Assert.Equal(model[old], again.Dump(old));
            Assert.Equal(revision + 1, (await again.PutAsync("after", "crash")).Revision);
        }

        await using var third = Kv.Open(after, change: change);
        Assert.Equal(revision + 1, third.Store.Published.Revision);
    }

    private static async Task<long> CompactAsync(StoreEngine engine, long revision)
    {
        await engine.CompactAsync(revision, physical: true);
        return revision;
    }

    private static async Task ChangeAsync(StoreEngine engine, Random random, History history)
    {
        var key = "k" + random.Next(5);
        var value = new string((char)('a' + random.Next(26)), random.Next(700));
        var kind = random.Next(9);
        history.Add(new { kind, key, value.Length });
        switch (kind)
        {
            case 0:
                await engine.DeleteAsync(key);
                break;
            case 1:
                await engine.DeleteAsync("k1", "k4");
                break;
            case 2:
                await engine.TxnAsync(new Pb.TxnRequest
                {
                    Success = { Put(key, value), Put("t", value), new Pb.RequestOp { RequestDeleteRange = new Pb.DeleteRangeRequest { Key = ByteString.CopyFromUtf8("x") } } },
                });
                break;
            case 3 when !engine.Lessor.Exists(7):
                await engine.ProposeAsync(new LeaseGrantCommand(7, 10_000 + random.Next(1000)));
                break;
            case 4 when engine.Lessor.Exists(7):
                await engine.PutAsync(key, value, lease: 7);
                break;
            case 5 when engine.Lessor.Exists(7) && random.Next(2) == 0:
                await engine.ProposeAsync(new LeaseRevokeCommand(7));
                break;
            default:
                await engine.PutAsync(key, value);
                break;
        }

        static Pb.RequestOp Put(string key, string value) =>
            new() { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } };
    }
}
