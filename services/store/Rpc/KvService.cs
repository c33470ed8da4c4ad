using Grpc.Core;
using Mesh.Rpc;
using Mesh.Store.Mvcc;
using Mesh.Store.Wire;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.KV, bound by hand so that the hot messages take <see cref="Marshallers"/> in place of generated objects.
/// The gRPC server finds handlers only as virtual methods of a class whose base is object.</summary>
[BindServiceMethod(typeof(KvService), nameof(BindService))]
internal class KvService(StoreEngine engine, Guard guard)
{
    private const string Service = "etcdserverpb.KV";

    private static readonly Method<Incoming<RangeRequest>, RangeReply> s_range = new(MethodType.Unary, Service, "Range", Marshallers.Range, Marshallers.RangeReply);
    private static readonly Method<Incoming<PutRequest>, PutReply> s_put = new(MethodType.Unary, Service, "Put", Marshallers.Put, Marshallers.PutReply);
    private static readonly Method<Incoming<DeleteRangeRequest>, DeleteRangeReply> s_delete =
        new(MethodType.Unary, Service, "DeleteRange", Marshallers.DeleteRange, Marshallers.DeleteRangeReply);
    private static readonly Method<Incoming<TxnRequest>, TxnReply> s_txn = new(MethodType.Unary, Service, "Txn", Marshallers.Txn, Marshallers.TxnReply);
    private static readonly Method<Pb.CompactionRequest, Pb.CompactionResponse> s_compact = new(MethodType.Unary, Service, "Compact",
        GeneratedMarshaller.Of(Pb.CompactionRequest.Parser), GeneratedMarshaller.Of(Pb.CompactionResponse.Parser));

    /// <summary>Called by the gRPC server with a null instance to learn the methods.</summary>
    public static void BindService(ServiceBinderBase binder, KvService? service)
    {
        binder.AddMethod(s_range, service is null ? null : service.Range);
        binder.AddMethod(s_put, service is null ? null : service.Put);
        binder.AddMethod(s_delete, service is null ? null : service.DeleteRange);
        binder.AddMethod(s_txn, service is null ? null : service.Txn);
        binder.AddMethod(s_compact, service is null ? null : service.Compact);
    }

    public virtual Task<RangeReply> Range(Incoming<RangeRequest> incoming, ServerCallContext context)
    {
        // A long read is no business of the thread that reads the connection.
        if (ICallBatch.Of(context) is null || incoming.Request.Range.IsSingle) return ReadAsync(incoming, context);
        return Task.Run(() => ReadAsync(incoming, context));
    }

    public virtual async Task<PutReply> Put(Incoming<PutRequest> incoming, ServerCallContext context)
    {
        try
        {
            var request = incoming.Request;
            KvChecks.Check(request);
            EnsureSize(incoming.Payload);
            guard.Check(context, KeyRange.Single(request.Key), write: true);
            if (request.PrevKv) guard.Check(context, KeyRange.Single(request.Key), write: false);
            engine.EnsureSpace();
            var reply = (PutReply)await engine.ProposeAsync(request, incoming.Payload, ICallBatch.Of(context));
            reply.Identity = engine.Identity;
            return reply;
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
    }

    public virtual async Task<DeleteRangeReply> DeleteRange(Incoming<DeleteRangeRequest> incoming, ServerCallContext context)
    {
        try
        {
            KvChecks.Check(incoming.Request);
            guard.Check(context, incoming.Request.Range, write: true);
            if (incoming.Request.PrevKv) guard.Check(context, incoming.Request.Range, write: false);
            var reply = (DeleteRangeReply)await engine.ProposeAsync(incoming.Request, incoming.Payload, ICallBatch.Of(context));
            reply.Identity = engine.Identity;
            return reply;
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
    }

    public virtual async Task<TxnReply> Txn(Incoming<TxnRequest> incoming, ServerCallContext context)
    {
        try
        {
            KvChecks.Check(incoming.Request, engine.Options.MaxTxnOps);
            EnsureSize(incoming.Payload);
            guard.Check(context, incoming.Request);
            if (Grows(incoming.Request)) engine.EnsureSpace();
            var reply = await engine.TxnAsync(incoming.Request, incoming.Payload, ICallBatch.Of(context));
            reply.Identity = engine.Identity;
            return reply;
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
    }

    public virtual Task<Pb.CompactionResponse> Compact(Pb.CompactionRequest request, ServerCallContext context) => Edge.Run(async () =>
    {
        guard.Anyone(context);
        await engine.CompactAsync(request.Revision, request.Physical);
        return new Pb.CompactionResponse { Header = engine.Header() };
    });

    private Task<RangeReply> ReadAsync(Incoming<RangeRequest> incoming, ServerCallContext context)
    {
        try
        {
            KvChecks.Check(incoming.Request);
            guard.Check(context, incoming.Request.Range, write: false);
            var reply = engine.Store.Range(incoming.Request);
            reply.Identity = engine.Identity;
            return Task.FromResult(reply);
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
    }

    private void EnsureSize(byte[] payload)
    {
        if (payload.Length > engine.Options.MaxRequestBytes + 512) throw Refusals.RequestTooLarge;
    }

    private static bool Grows(TxnRequest txn) =>
        txn.Success.Concat(txn.Failure).Any(op => op is PutRequest || (op is TxnRequest nested && Grows(nested)));
}
