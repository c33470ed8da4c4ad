using Google.Protobuf;
using Mesh.Store.Tests.Support;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Proofs;

/// <summary>
/// The power goes before and after every single step of the write path: each append, fsync, allocation, creation, rename, removal, directory sync, and so
/// every point of segment rolling, snapshots and compaction. What was not synced is thrown away sector by sector, in ways that the seed chooses.
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

            Assert.True(images > 200, $"{images} crashes");
        }
    }

    [Theory]
    [InlineData(nameof(KnownBugs.SkipSync))]
    [InlineData(nameof(KnownBugs.ReuseRevision))]
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
        var images = new List<(string Step, MemoryFiles Files, long Acknowledged, long Compacted)>();
        var steps = new HashSet<string>();
        long acknowledged = 1, compacted = -1;
        void Change(StoreOptions o) => (o.SegmentBytes, o.Bugs) = (2048, bugs);
        await using (var engine = Kv.Open(files, change: Change))
        {
            await engine.PutAsync("first", "1");
            model[2] = engine.Dump();
            acknowledged = 2;
            files.OnStep = step =>
            {
                steps.Add(step);
                images.Add((step, files.Crash(random), Volatile.Read(ref acknowledged), Volatile.Read(ref compacted)));
            };
            for (var i = 0; i < 60; i++)
            {
                await ChangeAsync(engine, random, history);
                var revision = engine.Store.Published.Revision;
                model[revision] = engine.Dump();
                Volatile.Write(ref acknowledged, revision);
                if (i % 9 == 8) Volatile.Write(ref compacted, await CompactAsync(engine, revision - 2));
                if (i % 13 == 12) await engine.SnapshotAsync();
            }

            files.OnStep = null;
        }

        foreach (var (step, after, required, below) in images)
        {
            history.Add(new { step, required, below });
            try
            {
                await VerifyAsync(after, required, below, model, Change);
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

    private static async Task VerifyAsync(MemoryFiles after, long required, long compacted, Dictionary<long, string> model, Action<StoreOptions> change)
    {
        long revision;
        await using (var again = Kv.Open(after, change: change))
        {
            revision = again.Store.Published.Revision;
            Assert.True(revision >= required, $"revision {revision}");
            Assert.True(again.Store.CompactRevision >= compacted, $"compacted at {again.Store.CompactRevision}, {compacted} acknowledged");
            Assert.Equal(model[revision], again.Dump());
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
        var kind = random.Next(6);
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
            default:
                await engine.PutAsync(key, value);
                break;
        }

        static Pb.RequestOp Put(string key, string value) =>
            new() { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } };
    }
}
