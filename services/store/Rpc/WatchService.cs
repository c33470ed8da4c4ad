using Grpc.Core;
using Mesh.Store.Mvcc;
using Mesh.Store.Watching;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.Watch: reads requests while one sender writes what the stream's watches have.</summary>
[BindServiceMethod(typeof(WatchService), nameof(BindService))]
internal class WatchService(StoreEngine engine, Guard guard, WatchLimits limits)
{
    private static readonly Method<Pb.WatchRequest, WatchReply> s_watch = new(MethodType.DuplexStreaming, "etcdserverpb.Watch", "Watch",
        GeneratedMarshaller.Of(Pb.WatchRequest.Parser), Marshallers.WatchReply);

    private static readonly byte[] s_zero = [0];

    /// <summary>Called by the gRPC server with a null instance to learn the methods.</summary>
    public static void BindService(ServiceBinderBase binder, WatchService? service) => binder.AddMethod(s_watch, service is null ? null : service.Watch);

    public virtual async Task Watch(IAsyncStreamReader<Pb.WatchRequest> requests, IServerStreamWriter<WatchReply> replies, ServerCallContext context)
    {
        using var stream = new WatchStream(engine.Hub, limits, engine.Time);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var buffered = new WriteOptions(WriteFlags.BufferHint);
        var sender = stream.RunAsync(
            (reply, moreFollows) =>
            {
                replies.WriteOptions = moreFollows ? buffered : null;
                return replies.WriteAsync(reply);
            },
            done.Token);
        try
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                switch (requests.Current.RequestUnionCase)
                {
                    case Pb.WatchRequest.RequestUnionOneofCase.CreateRequest:
                        stream.Create(Creation(requests.Current.CreateRequest, context));
                        break;
                    case Pb.WatchRequest.RequestUnionOneofCase.CancelRequest:
                        stream.Cancel(requests.Current.CancelRequest.WatchId);
                        break;
                    case Pb.WatchRequest.RequestUnionOneofCase.ProgressRequest:
                        stream.RequestProgress();
                        break;
                }
            }
        }
        catch (Exception e) when (context.CancellationToken.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // the client went away
        }
        finally
        {
            await done.CancelAsync();
            await sender.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private WatchCreation Creation(Pb.WatchCreateRequest request, ServerCallContext context)
    {
        var key = request.Key.Length == 0 ? s_zero : request.Key.Memory;
        var range = KeyRange.Of(key, request.RangeEnd.Memory);
        return new WatchCreation(range)
        {
            StartRevision = request.StartRevision,
            WatchId = request.WatchId,
            PrevKv = request.PrevKv,
            ProgressNotify = request.ProgressNotify,
            Fragment = request.Fragment,
            NoPut = request.Filters.Contains(Pb.WatchCreateRequest.Types.FilterType.Noput),
            NoDelete = request.Filters.Contains(Pb.WatchCreateRequest.Types.FilterType.Nodelete),
            Refusal = Refusal(context, range),
        };
    }

    private string? Refusal(ServerCallContext context, KeyRange range)
    {
        try
        {
            guard.Check(context, range, write: false);
            return null;
        }
        catch (StoreException e)
        {
            return "rpc error: code = " + e.Code + " desc = " + e.Message;
        }
    }
}
