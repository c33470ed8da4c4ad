using Grpc.Core;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.Cluster of one member. Growing is what a real etcd cluster is for, and the refusals say so.</summary>
internal sealed class ClusterService(StoreEngine engine, Guard guard, ServedAddresses addresses) : Pb.Cluster.ClusterBase
{
    public override Task<Pb.MemberListResponse> MemberList(Pb.MemberListRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        guard.Anyone(context);
        var reply = new Pb.MemberListResponse { Header = engine.Header() };
        var member = new Pb.Member { ID = engine.Identity.MemberId, Name = engine.Options.Name };
        member.ClientURLs.AddRange(addresses.ClientUrls);
        member.PeerURLs.AddRange(addresses.ClientUrls);
        reply.Members.Add(member);
        return reply;
    });

    public override Task<Pb.MemberAddResponse> MemberAdd(Pb.MemberAddRequest request, ServerCallContext context) => Edge.Answer<Pb.MemberAddResponse>(() => throw Single(context));

    public override Task<Pb.MemberRemoveResponse> MemberRemove(Pb.MemberRemoveRequest request, ServerCallContext context) =>
        Edge.Answer<Pb.MemberRemoveResponse>(() => throw Known(request.ID, context));

    public override Task<Pb.MemberUpdateResponse> MemberUpdate(Pb.MemberUpdateRequest request, ServerCallContext context) =>
        Edge.Answer<Pb.MemberUpdateResponse>(() => throw Known(request.ID, context));

    public override Task<Pb.MemberPromoteResponse> MemberPromote(Pb.MemberPromoteRequest request, ServerCallContext context) =>
        Edge.Answer<Pb.MemberPromoteResponse>(() => throw Known(request.ID, context));

    private StoreException Known(ulong id, ServerCallContext context) => id == engine.Identity.MemberId ? Single(context) : Refusals.MemberNotFound;

    private StoreException Single(ServerCallContext context)
    {
        guard.Root(context);
        return new StoreException(StatusCode.FailedPrecondition, "mesh: the embedded store has one member; for more, run an etcd cluster and point the gateway at it");
    }
}

/// <summary>The addresses that clients reach the store by.</summary>
internal sealed record ServedAddresses(IReadOnlyList<string> ClientUrls);
