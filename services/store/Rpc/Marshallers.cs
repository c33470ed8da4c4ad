using Grpc.Core;
using Mesh.Rpc.Wire;
using Mesh.Store.Watching;
using Mesh.Store.Wire;

namespace Mesh.Store.Rpc;

/// <summary>A KV request with the bytes it came in: the log keeps them as they are, and values are slices of them.</summary>
internal sealed class Incoming<T>(T request, byte[] payload)
    where T : KvRequest
{
    public T Request => request;

    public byte[] Payload => payload;
}

/// <summary>Codecs of the hot messages: no message objects, one copy in, one copy out.</summary>
internal static class Marshallers
{
    public static readonly Marshaller<Incoming<RangeRequest>> Range = Request(KvRequestDecoder.Range);
    public static readonly Marshaller<Incoming<PutRequest>> Put = Request(KvRequestDecoder.Put);
    public static readonly Marshaller<Incoming<DeleteRangeRequest>> DeleteRange = Request(KvRequestDecoder.DeleteRange);
    public static readonly Marshaller<Incoming<TxnRequest>> Txn = Request(KvRequestDecoder.Txn);
    public static readonly Marshaller<RangeReply> RangeReply = Reply<RangeReply>();
    public static readonly Marshaller<PutReply> PutReply = Reply<PutReply>();
    public static readonly Marshaller<DeleteRangeReply> DeleteRangeReply = Reply<DeleteRangeReply>();
    public static readonly Marshaller<TxnReply> TxnReply = Reply<TxnReply>();
    public static readonly Marshaller<WatchReply> WatchReply = Reply<WatchReply>();

    private static Marshaller<Incoming<T>> Request<T>(Func<ReadOnlyMemory<byte>, T> decode)
        where T : KvRequest => Grpc.Core.Marshallers.Create<Incoming<T>>(
        static (_, _) => throw new NotSupportedException(),
        context =>
        {
            var payload = context.PayloadAsNewBuffer();
            try
            {
                return new Incoming<T>(decode(payload), payload);
            }
            catch (FormatException e)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
            }
        });

    private static Marshaller<T> Reply<T>()
        where T : class, IReply => Grpc.Core.Marshallers.Create<T>(
        static (reply, context) =>
        {
            var size = reply.Size;
            context.SetPayloadLength(size);
            var buffer = context.GetBufferWriter();
            var writer = new ProtoWriter(buffer.GetSpan(size));
            reply.Write(ref writer);
            buffer.Advance(writer.Written);
            context.Complete();
        },
        static _ => throw new NotSupportedException());
}
