using Google.Protobuf;
using Mesh.Store.Tests.Support;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Proofs;

/// <summary>Puts, compare-and-swaps, deletes and reads of a few keys under crashes, stalls and a slow disk; the history must be linearizable.</summary>
public class RegisterTests(ITestOutputHelper output)
{
    private const int Writers = 6;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Histories_are_linearizable(int seed)
    {
        for (var more = 0; more < CrashPointTests.Rounds("MESH_CHAOS_SEEDS"); more++)
        {
            var (history, verdict) = await RunAsync(seed + (more * 1000), KnownBugs.None, crashes: 4);
            var operations = history.Operations;
            Assert.True(verdict is null, $"{verdict}: {history.Save()}");
            Assert.True(operations.Count(o => o.Answered) > 300 && operations.Any(o => !o.Answered) && operations.Any(o => o is { Kind: "cas", Succeeded: false }), "a history worth checking");
            output.WriteLine($"{operations.Count} operations, {history.Save()}");
        }
    }

    [Theory]
    [InlineData(nameof(KnownBugs.ApplyBeforeLog))]
    [InlineData(nameof(KnownBugs.ReuseRevision))]
    public async Task A_known_bug_is_found(string bug)
    {
        for (var seed = 21; seed < 61; seed++)
        {
            var (history, verdict) = await RunAsync(seed, Enum.Parse<KnownBugs>(bug), crashes: 4);
            if (verdict is null) continue;
            output.WriteLine($"{bug} found: {verdict} ({history.Save()})");
            return;
        }

        Assert.Fail(bug + " was not found in 40 histories");
    }

    private static async Task<(History History, string? Verdict)> RunAsync(int seed, KnownBugs bugs, int crashes)
    {
        var history = new History("registers-" + bugs, seed);
        await using var store = new ChaosStore(seed, history, bugs);
        await store.RunAsync(crashes, stop => Enumerable.Range(0, Writers + 2).Select(c => Task.Run(() => ClientAsync(c, new Random((seed * 100) + c), store, history, stop), CancellationToken.None)));
        return (history, Linearizability.Check(history.Operations));
    }

    private static async Task ClientAsync(int client, Random random, ChaosStore store, History history, CancellationToken stop)
    {
        var known = new Dictionary<string, long>();
        for (var i = 0; !stop.IsCancellationRequested && i < 400; i++)
        {
            var key = "k" + random.Next(4);
            var value = $"{client}.{i}";
            var kind = client >= Writers ? "get" : random.Next(10) switch { < 3 => "put", 3 => "delete", < 7 => "cas", _ => "get" };
            await store.PresentAsync();
            var operation = new Operation(client, kind, key, value, known.GetValueOrDefault(key), History.Now);
            history.Add(operation);
            switch (kind)
            {
                case "get":
                    await store.CallAsync(e => Task.FromResult(e.Get(key)), r =>
                    {
                        (operation.Value, operation.Revision) = r.Count == 0 ? (null, 0) : (Kv.S(r.Kvs[0].Value), r.Kvs[0].ModRevision);
                        known[key] = operation.Revision;
                        operation.End = History.Now;
                    });
                    // Reads cost nothing; the others shall have a chance.
                    await Task.Delay(1, CancellationToken.None);
                    break;
                case "put":
                    await store.CallAsync(e => e.PutAsync(key, value), r => (operation.Revision, known[key], operation.End) = (r.Revision, r.Revision, History.Now));
                    break;
                case "delete":
                    // A deletion of nothing has no revision of its own.
                    await store.CallAsync(e => e.DeleteAsync(key), r => (operation.Revision, known[key], operation.End) = (r.Deleted > 0 ? r.Revision : 0, 0, History.Now));
                    break;
                case "cas":
                    await store.CallAsync(e => e.TxnAsync(Cas(key, operation.Expected, value)), r =>
                        (operation.Succeeded, operation.Revision, operation.End) = (r.Succeeded, r.Succeeded ? r.Revision : 0, History.Now));
                    break;
            }
        }
    }

    private static Pb.TxnRequest Cas(string key, long expected, string value) => new()
    {
        Compare = { new Pb.Compare { Key = ByteString.CopyFromUtf8(key), Target = Pb.Compare.Types.CompareTarget.Mod, Result = Pb.Compare.Types.CompareResult.Equal, ModRevision = expected } },
        Success = { new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } } },
    };
}
