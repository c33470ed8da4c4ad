using Grpc.Core;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>Where refusals become statuses, and the answers' header.</summary>
internal static class Edge
{
    public static RpcException ToRpc(StoreException e) => new(new Status(e.Code, e.Message));

    public static Pb.ResponseHeader Header(this StoreEngine engine) => Header(engine, engine.Store.Published.Revision);

    public static Pb.ResponseHeader Header(this StoreEngine engine, long revision) => new()
    {
        ClusterId = engine.Identity.ClusterId,
        MemberId = engine.Identity.MemberId,
        Revision = revision,
        RaftTerm = 1,
    };

    public static async Task<T> Run<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (StoreException e)
        {
            throw ToRpc(e);
        }
    }

    public static Task<T> Answer<T>(Func<T> work)
    {
        try
        {
            return Task.FromResult(work());
        }
        catch (StoreException e)
        {
            throw ToRpc(e);
        }
    }
}
