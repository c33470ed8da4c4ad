using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Store.Commit;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.Lease.</summary>
internal sealed class LeaseService(StoreEngine engine, Guard guard, LeaseCheckpoints checkpoints) : Pb.Lease.LeaseBase
{
    public override Task<Pb.LeaseGrantResponse> LeaseGrant(Pb.LeaseGrantRequest request, ServerCallContext context) => Edge.Run(async () =>
    {
        guard.Anyone(context);
        engine.EnsureSpace();
        if (request.TTL > Lessor.MaxTtl) throw Refusals.LeaseTtlTooLarge;
        var id = request.ID;
        while (id == 0 || (request.ID == 0 && engine.Lessor.Exists(id))) id = RandomNumberGenerator.GetInt32(int.MaxValue) * (1L << 31) + RandomNumberGenerator.GetInt32(int.MaxValue);
        var ttl = (long)await engine.ProposeAsync(new LeaseGrantCommand(id, request.TTL));
        checkpoints.Note();
        return new Pb.LeaseGrantResponse { Header = engine.Header(), ID = id, TTL = ttl };
    });

    public override Task<Pb.LeaseRevokeResponse> LeaseRevoke(Pb.LeaseRevokeRequest request, ServerCallContext context) => Edge.Run(async () =>
    {
        CheckKeys(request.ID, context, write: true);
        var revision = (long)await engine.ProposeAsync(new LeaseRevokeCommand(request.ID));
        return new Pb.LeaseRevokeResponse { Header = engine.Header(revision) };
    });

    public override async Task LeaseKeepAlive(
        IAsyncStreamReader<Pb.LeaseKeepAliveRequest> requests, IServerStreamWriter<Pb.LeaseKeepAliveResponse> replies, ServerCallContext context)
    {
        try
        {
            guard.Anyone(context);
            while (await requests.MoveNext(context.CancellationToken))
            {
                var id = requests.Current.ID;
                var ttl = engine.Lessor.Renew(id, out var checkpointed);
                if (checkpointed) await engine.ProposeAsync(new LeaseCheckpointCommand([(id, 0)]));
                await replies.WriteAsync(new Pb.LeaseKeepAliveResponse { Header = engine.Header(), ID = id, TTL = ttl });
            }
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
        catch (Exception e) when (context.CancellationToken.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // the client went away
        }
    }

    public override Task<Pb.LeaseTimeToLiveResponse> LeaseTimeToLive(Pb.LeaseTimeToLiveRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        if (request.Keys) CheckKeys(request.ID, context, write: false);
        else guard.Anyone(context);
        // An unknown lease is an answer, not an error: TTL -1.
        if (engine.Lessor.Describe(request.ID, request.Keys) is not { } lease)
            return new Pb.LeaseTimeToLiveResponse { Header = engine.Header(), ID = request.ID, TTL = -1 };
        var reply = new Pb.LeaseTimeToLiveResponse { Header = engine.Header(), ID = lease.Id, TTL = lease.Remaining, GrantedTTL = lease.Granted };
        reply.Keys.AddRange(lease.Keys.Select(k => ByteString.CopyFrom(k)));
        return reply;
    });

    public override Task<Pb.LeaseLeasesResponse> LeaseLeases(Pb.LeaseLeasesRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        guard.Anyone(context);
        var reply = new Pb.LeaseLeasesResponse { Header = engine.Header() };
        reply.Leases.AddRange(engine.Lessor.List().Select(id => new Pb.LeaseStatus { ID = id }));
        return reply;
    });

    private void CheckKeys(long id, ServerCallContext context, bool write)
    {
        foreach (var key in engine.Lessor.Describe(id, keys: true)?.Keys ?? []) guard.Check(context, KeyRange.Single(key), write);
        guard.Anyone(context);
    }
}
