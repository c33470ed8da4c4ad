using Google.Protobuf;
using Mesh.Store.Tests.Support;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Proofs;

public class ListAppendTests(ITestOutputHelper output)
{
    [Fact]
    public void The_checker_tells_good_from_bad()
    {
        static AppendTxn T(int id, long start, long end, string[] appends, params (string Key, int[] Read)[] reads) =>
            new(id, reads.ToDictionary(r => r.Key, r => r.Read), appends, start) { End = end };
        Dictionary<string, int[]> final = new() { ["a"] = [1, 2], ["b"] = [2] };
        Assert.Null(ListAppend.Check([T(1, 1, 2, ["a"], ("a", [])), T(2, 3, 4, ["a", "b"], ("a", [1]), ("b", [])), T(3, 5, 6, [], ("a", [1, 2]), ("b", [2]))], final));
        // An unanswered append may be there.
        Assert.Null(ListAppend.Check([T(1, 1, 2, ["a"]), T(2, 1, long.MaxValue, ["a", "b"])], final));
        // Half of another's transaction.
        Assert.NotNull(ListAppend.Check([T(1, 1, 2, ["a"], ("a", [])), T(2, 3, 9, ["a", "b"], ("a", [1]), ("b", [])), T(3, 4, 8, [], ("a", [1, 2]), ("b", []))], final));
        // A lost update, a repeated one, a read of what never was, a read of the past.
        Assert.NotNull(ListAppend.Check([T(1, 1, 2, ["a"]), T(2, 3, 4, ["a", "b"]), T(3, 3, 4, ["a"])], final));
        Assert.NotNull(ListAppend.Check([T(1, 1, 2, ["a"])], new() { ["a"] = [1, 1] }));
        Assert.NotNull(ListAppend.Check([T(1, 1, 2, ["a"]), T(2, 3, 4, ["a", "b"]), T(3, 5, 6, [], ("a", [2, 1]))], final));
        Assert.NotNull(ListAppend.Check([T(1, 1, 2, ["a"]), T(2, 3, 4, ["a", "b"]), T(3, 5, 6, [], ("a", [1]))], final));
        // Write skew: each missed the other's append.
        Assert.NotNull(ListAppend.Check([T(1, 1, 9, ["a"], ("a", []), ("b", [])), T(2, 1, 9, ["b"], ("a", []), ("b", []))], new() { ["a"] = [1], ["b"] = [2] }));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public async Task Transactions_are_strictly_serializable(int seed)
    {
        for (var more = 0; more < CrashPointTests.Rounds("MESH_CHAOS_SEEDS"); more++)
        {
            var history = new History("list-append", seed + (more * 1000));
            var txns = new System.Collections.Concurrent.ConcurrentQueue<AppendTxn>();
            var ids = 0;
            await using var store = new ChaosStore(seed + (more * 1000), history);
            await store.RunAsync(crashes: 3, stop => Enumerable.Range(0, 5).Select(c => Task.Run(
                async () =>
                {
                    var random = new Random((seed * 100) + c);
                    for (var i = 0; !stop.IsCancellationRequested && i < 200; i++)
                    {
                        var keys = Enumerable.Range(0, 4).OrderBy(_ => random.Next()).Take(random.Next(1, 4)).Select(k => "l" + k).ToArray();
                        await AppendAsync(store, Interlocked.Increment(ref ids), keys, random.Next(1, keys.Length + 1), txns, history);
                    }
                },
                CancellationToken.None)));
            var (engine, _) = await store.PresentAsync();
            var final = Enumerable.Range(0, 4).Select(k => "l" + k).ToDictionary(k => k, k => Read(engine, k, 0).List);
            history.Add(final);
            var verdict = ListAppend.Check([.. txns], final);
            Assert.True(verdict is null, $"{verdict}: {history.Save()}");
            Assert.True(txns.Count(t => t.End != long.MaxValue && t.Appends.Length > 0) > 50, "a history worth checking");
            output.WriteLine($"{txns.Count} transactions, {history.Save()}");
        }
    }

    /// <summary>Reads all keys at one revision, then appends to the first few if none of them has changed since; otherwise it was a read.</summary>
    private static async Task AppendAsync(
        ChaosStore store, int id, string[] keys, int appends, System.Collections.Concurrent.ConcurrentQueue<AppendTxn> txns, History history)
    {
        var (engine, life) = await store.PresentAsync();
        var start = History.Now;
        var revision = engine.Store.Published.Revision;
        var read = keys.ToDictionary(k => k, k => Read(engine, k, revision));
        var lists = read.ToDictionary(r => r.Key, r => r.Value.List);
        var request = new Pb.TxnRequest();
        foreach (var (key, (_, mod)) in read)
        {
            request.Compare.Add(new Pb.Compare
            {
                Key = ByteString.CopyFromUtf8(key),
                Target = Pb.Compare.Types.CompareTarget.Mod,
                Result = Pb.Compare.Types.CompareResult.Equal,
                ModRevision = mod,
            });
        }

        foreach (var key in keys.Take(appends))
        {
            request.Success.Add(new Pb.RequestOp
            {
                RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(string.Join(' ', lists[key].Append(id))) },
            });
        }

        var wanted = new AppendTxn(id, lists, [.. keys.Take(appends)], start);
        var succeeded = false;
        try
        {
            succeeded = (await engine.TxnAsync(request)).Succeeded;
        }
        catch (StoreException e) when (e.Code == Grpc.Core.StatusCode.Unavailable)
        {
            life = -1;
        }

        // Not appended: then it was a read, and reads that nobody heard of are nothing.
        store.Heard(life, () =>
        {
            if (!succeeded) wanted = wanted with { Appends = [] };
            wanted.End = History.Now;
        });
        if (wanted.Appends.Length == 0 && wanted.End == long.MaxValue) return;
        txns.Enqueue(wanted);
        history.Add(wanted);
    }

    private static (int[] List, long Revision) Read(StoreEngine engine, string key, long revision)
    {
        var reply = engine.Get(key, revision: revision);
        return reply.Count == 0 ? ([], 0) : ([.. Kv.S(reply.Kvs[0].Value).Split(' ').Select(int.Parse)], reply.Kvs[0].ModRevision);
    }
}
