using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Rpc;
using Mesh.Store.Tests.Support;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Rpc;

public class KillTests
{
    /// <summary>kill -9 of a real process under load, again and again: every acknowledged write is there, no revision goes back.</summary>
    [Fact]
    public async Task Nothing_acknowledged_is_lost_by_kill_9()
    {
        await using var store = new StoreProcess();
        await store.StartAsync();
        var acknowledged = new ConcurrentDictionary<string, (int Value, long Revision)>();
        var random = new Random(42);
        for (var round = 0; round < 4; round++)
        {
            using var stop = new CancellationTokenSource();
            using var channel = MeshChannel.Create(store.Address);
            var kv = new Pb.KV.KVClient(channel);
            var clients = Enumerable.Range(0, 8).Select(c => Task.Run(async () =>
            {
                var key = $"c{c}";
                for (var i = acknowledged.GetValueOrDefault(key).Value + 1; !stop.IsCancellationRequested; i++)
                {
                    try
                    {
                        var put = await kv.PutAsync(new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8($"{i} {new string('x', 500)}") });
                        acknowledged[key] = (i, put.Header.Revision);
                    }
                    catch (RpcException)
                    {
                        return;
                    }
                }
            })).ToArray();
            var target = acknowledged.Values.Sum(v => v.Value) + random.Next(40, 400);
            await Eventually.True(() => acknowledged.Values.Sum(v => v.Value) >= target, "writes to kill into", seconds: 60);
            await store.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(clients);
            await store.StartAsync();

            using var again = MeshChannel.Create(store.Address);
            var reader = new Pb.KV.KVClient(again);
            foreach (var (key, (value, revision)) in acknowledged)
            {
                var answer = await reader.RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8(key) });
                var found = int.Parse(answer.Kvs[0].Value.ToStringUtf8().Split(' ')[0], null);
                Assert.True(found >= value && answer.Kvs[0].ModRevision >= revision && answer.Header.Revision >= revision, $"round {round}: {key} acknowledged {value} at {revision}, found {found} at {answer.Kvs[0].ModRevision}");
            }
        }
    }
}
