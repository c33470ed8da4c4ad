using Google.Protobuf;
using Grpc.Core;
using Mesh.Hosting;
using Mesh.Rpc;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Rpc;

/// <summary>The services over the in-memory transport, two stores in one process.</summary>
public class ServiceTests
{
    [Fact]
    public async Task Two_stores_in_one_process_know_nothing_of_each_other()
    {
        var directory = Directory.CreateTempSubdirectory("mesh-store-test-").FullName;
        var builder = MeshHost.CreateBuilder([]).UseEnvironment([]);
        builder.Add(new StoreService()).Set("store", "data-dir", directory + "/a").Set("store", "listen", "inproc://a");
        var other = MeshHost.CreateBuilder([]).UseEnvironment([]);
        other.Add(new StoreService()).Set("store", "data-dir", directory + "/b").Set("store", "listen", "inproc://b");
        await using var first = builder.Build();
        await using var second = other.Build();
        await first.StartAsync();
        await second.StartAsync();
        using var a = MeshChannel.Create("inproc://a", new MeshChannelOptions { Network = builder.Network });
        using var b = MeshChannel.Create("inproc://b", new MeshChannelOptions { Network = other.Network });
        await new Pb.KV.KVClient(a).PutAsync(new Pb.PutRequest { Key = ByteString.CopyFromUtf8("x"), Value = ByteString.CopyFromUtf8("1") });
        Assert.Equal(1, (await new Pb.KV.KVClient(a).RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8("x") })).Count);
        Assert.Equal(0, (await new Pb.KV.KVClient(b).RangeAsync(new Pb.RangeRequest { Key = ByteString.CopyFromUtf8("x") })).Count);
        await Refusals(new Pb.KV.KVClient(a), new Pb.Lease.LeaseClient(a));
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Health and metrics answer on the gRPC listener, which serves no HTTP/2 but its own.</summary>
    [Fact]
    public async Task Health_and_metrics_over_the_grpc_listener()
    {
        var directory = Directory.CreateTempSubdirectory("mesh-store-test-").FullName;
        var builder = MeshHost.CreateBuilder([]).UseEnvironment([]);
        builder.Add(new StoreService()).Set("store", "data-dir", directory + "/a").Set("store", "listen", "inproc://a");
        await using (var host = builder.Build())
        {
            await host.StartAsync();
            var address = MeshAddress.Parse("inproc://a");
            using var http = new HttpClient(MeshChannel.CreateHandler(address, new MeshChannelOptions { Network = builder.Network }))
            {
                BaseAddress = address.ToHttpUri(),
                DefaultRequestVersion = new Version(2, 0),
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            Assert.Equal("ok", (await http.GetStringAsync("/healthz")).Trim());
            Assert.Contains("etcd_server_has_leader", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync("/nothing")).StatusCode);
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task Refusals(Pb.KV.KVClient kv, Pb.Lease.LeaseClient lease)
    {
        var key = ByteString.CopyFromUtf8("k");
        await Refused(StatusCode.InvalidArgument, "etcdserver: key is not provided", () => kv.PutAsync(new Pb.PutRequest()));
        await Refused(StatusCode.InvalidArgument, "etcdserver: key is not provided", () => kv.RangeAsync(new Pb.RangeRequest()));
        await Refused(StatusCode.InvalidArgument, "etcdserver: value is provided", () => kv.PutAsync(new Pb.PutRequest { Key = key, Value = key, IgnoreValue = true }));
        await Refused(StatusCode.InvalidArgument, "etcdserver: key not found", () => kv.PutAsync(new Pb.PutRequest { Key = key, IgnoreValue = true }));
        await Refused(StatusCode.NotFound, "etcdserver: requested lease not found", () => kv.PutAsync(new Pb.PutRequest { Key = key, Lease = 77 }));
        await Refused(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision", () => kv.RangeAsync(new Pb.RangeRequest { Key = key, Revision = 1000 }));
        await Refused(StatusCode.OutOfRange, "etcdserver: mvcc: required revision is a future revision", () => kv.CompactAsync(new Pb.CompactionRequest { Revision = 1000 }));
        await Refused(StatusCode.InvalidArgument, "etcdserver: request is too large", () => kv.PutAsync(new Pb.PutRequest { Key = key, Value = ByteString.CopyFrom(new byte[2 << 20]) }));
        await Refused(StatusCode.NotFound, "etcdserver: requested lease not found", () => lease.LeaseRevokeAsync(new Pb.LeaseRevokeRequest { ID = 5 }));
        await Refused(StatusCode.OutOfRange, "etcdserver: too large lease TTL", () => lease.LeaseGrantAsync(new Pb.LeaseGrantRequest { TTL = 9_000_000_001 }));
        var put = new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = key } };
        await Refused(StatusCode.InvalidArgument, "etcdserver: duplicate key given in txn request", () => kv.TxnAsync(new Pb.TxnRequest { Success = { put, put } }));
        await Refused(StatusCode.InvalidArgument, "etcdserver: too many operations in txn request", () => kv.TxnAsync(new Pb.TxnRequest { Success = { Enumerable.Repeat(put, 129) } }));
        var large = await kv.PutAsync(new Pb.PutRequest { Key = key, Value = ByteString.CopyFrom(new byte[3 << 19]) });
        Assert.Equal(3, large.Header.Revision);
    }

    private static async Task Refused<T>(StatusCode code, string message, Func<AsyncUnaryCall<T>> call)
    {
        var thrown = await Assert.ThrowsAsync<RpcException>(async () => await call());
        Assert.Equal((code, message), (thrown.StatusCode, thrown.Status.Detail));
    }
}
