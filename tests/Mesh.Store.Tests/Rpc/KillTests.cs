using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc;
using Mesh.Store.Tests.Proofs;
using Mesh.Store.Tests.Support;
using Xunit.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Rpc;

/// <summary>A real process on a real disk, killed (-9) and stopped (SIGSTOP) at random instants under concurrent load.</summary>
public class KillTests(ITestOutputHelper output)
{
    private const int Clients = 8;

    /// <summary>MESH_KILL_ROUNDS sets how often (1,000 for the proof), MESH_KILL_SEED the seed. Every acknowledged write is there, no revision goes back, and the history has an order.</summary>
    [Fact]
    public async Task Nothing_acknowledged_is_lost_by_kill_9()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("MESH_KILL_SEED"), out var given) ? given : 42;
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("MESH_KILL_ROUNDS"), out var wanted) ? wanted : 3;
        var random = new Random(seed);
        var history = new History("kill-9", seed);
        output.WriteLine($"seed {seed}, {rounds} rounds");
        await using var store = new StoreProcess("--segment-bytes=262144 --snapshot-log-bytes=1000000");
        await store.StartAsync();
        long newest = 1;
        for (var round = 0; round < rounds; round++)
        {
            // Keys of their own each round: the search for an order then looks at one round at a time.
            var operations = new ConcurrentQueue<Operation>();
            using var stop = new CancellationTokenSource();
            using var channel = MeshChannel.Create(store.Address);
            var clients = Enumerable.Range(0, Clients).Select(c => ClientAsync(new Pb.KV.KVClient(channel), $"r{round}/", c, new Random(random.Next()), operations, () => stop.IsCancellationRequested)).ToArray();
            var target = random.Next(30, 300);
            var pause = random.Next(3) == 0 ? random.Next(target) : -1;
            await Eventually.True(
                () =>
                {
                    var answered = operations.Count(o => o.Answered);
                    if (pause >= 0 && answered >= pause)
                    {
                        pause = -1;
                        store.Pause(TimeSpan.FromMilliseconds(50));
                    }

                    return answered >= target;
                },
                "calls to kill into",
                seconds: 60);
            await store.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(clients);
            await store.StartAsync();

            foreach (var operation in operations) history.Add(operation);
            using var again = MeshChannel.Create(store.Address);
            var reader = new Pb.KV.KVClient(again);
            var written = operations.Where(o => o.Answered && o.Kind != "get" && o.Revision > 0).ToList();
            newest = Math.Max(newest, written.Select(o => o.Revision).DefaultIfEmpty().Max());
            foreach (var key in operations.Select(o => o.Key).Distinct().ToList())
            {
                // The state after the restart belongs to the history: it must follow from it.
                var read = new Operation(-1, "get", key, null, 0, History.Now);
                var answer = await reader.RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8(key) });
                if (answer.Header.Revision < newest) Assert.Fail($"round {round}: the store is at {answer.Header.Revision}, {newest} was acknowledged ({history.Save()})");
                Note(read, answer);
                operations.Enqueue(read);
                history.Add(read);
            }

            var verdict = Linearizability.Check(operations);
            if (verdict is not null) Assert.Fail($"round {round}: {verdict} ({history.Save()})");
        }

        output.WriteLine(history.Save());
    }

    private static async Task ClientAsync(Pb.KV.KVClient kv, string prefix, int client, Random random, ConcurrentQueue<Operation> operations, Func<bool> stopped)
    {
        long known = 0;
        for (var i = 0; !stopped(); i++)
        {
            var key = prefix + random.Next(4);
            var value = $"{client}.{i} {new string('x', random.Next(600))}";
            var operation = new Operation(client, random.Next(4) switch { 0 => "get", 1 => "cas", _ => "put" }, key, value, known, History.Now);
            operations.Enqueue(operation);
            try
            {
                switch (operation.Kind)
                {
                    case "get":
                        Note(operation, await kv.RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8(key) }));
                        known = operation.Revision;
                        break;
                    case "put":
                        var put = await kv.PutAsync(Put(key, value));
                        (operation.Revision, operation.End) = (put.Header.Revision, History.Now);
                        break;
                    default:
                        var txn = await kv.TxnAsync(new Pb.TxnRequest
                        {
                            Compare = { new Pb.Compare { Key = ByteString.CopyFromUtf8(key), Target = Pb.Compare.Types.CompareTarget.Mod, Result = Pb.Compare.Types.CompareResult.Equal, ModRevision = known } },
                            Success = { new Pb.RequestOp { RequestPut = Put(key, value) } },
                        });
                        (operation.Succeeded, operation.Revision, operation.End) = (txn.Succeeded, txn.Succeeded ? txn.Header.Revision : 0, History.Now);
                        break;
                }
            }
            catch (RpcException)
            {
                return;
            }
        }

        static Pb.PutRequest Put(string key, string value) => new() { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) };
    }

    private static void Note(Operation operation, Pb.RangeResponse answer)
    {
        (operation.Value, operation.Revision) = answer.Count == 0 ? (null, 0) : (answer.Kvs[0].Value.ToStringUtf8(), answer.Kvs[0].ModRevision);
        operation.End = History.Now;
    }
}
