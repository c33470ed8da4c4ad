using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Api;
using Mesh.Gateway.Http;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Storage;
using Mesh.Rpc.V1;
using Mesh.Security;
using Microsoft.Extensions.Logging;
using DeleteRequest = Mesh.Rpc.V1.DeleteRequest;

namespace Mesh.Gateway.Rpc;

/// <summary>mesh.v1 Objects: the registry's verbs over gRPC. Objects are the bytes REST serves.</summary>
internal sealed class ObjectsService(RpcAccess access, RpcWrites writes, GenericRegistry registry, PodBinder binder, ILogger<ObjectsService> logger) : Objects.ObjectsBase
{
    private const int ChunkBytes = 256 * 1024;

    /// <inheritdoc/>
    public override async Task<ObjectReply> Get(GetRequest request, ServerCallContext context)
    {
        var user = await access.WhoAsync(context);
        var resource = access.Find(request.Resource);
        await access.CheckAsync(user, "get", resource, request.Namespace, request.Name, request.Subresource, context.CancellationToken);
        var target = RpcWrites.Target(user, resource, request.Namespace, request.Name, request.Subresource);
        if (request.Subresource.Length > 0 && writes.FindPart(resource, request.Subresource) is { } part)
            return new ObjectReply { Object = Bytes(JsonBytes.Write((await part.GetAsync(target, context.CancellationToken)).Object)) };
        var entry = await registry.GetAsync(target, request.ResourceVersion, context.CancellationToken);
        return new ObjectReply { Object = Bytes(entry.Json) };
    }

    /// <inheritdoc/>
    public override async Task List(ListRequest request, IServerStreamWriter<ListChunk> responseStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var user = await access.WhoAsync(context);
        var resource = access.Find(request.Resource);
        await access.CheckAsync(user, "list", resource, request.Namespace, "", "", ct, request.FieldSelector, request.LabelSelector);
        var page = await registry.ListAsync(
            RpcWrites.Target(user, resource, request.Namespace, "", ""),
            new ListOptions
            {
                LabelSelector = request.LabelSelector,
                FieldSelector = request.FieldSelector,
                ResourceVersion = request.ResourceVersion,
                ResourceVersionMatch = request.ResourceVersionMatch,
                Limit = request.Limit,
                Continue = request.Continue,
            },
            ct);
        var chunk = new ListChunk();
        var size = 0;
        foreach (var entry in page.Items)
        {
            var json = request.OmitManagedFields ? entry.Lean : entry.Json;
            chunk.Items.Add(Bytes(json));
            size += json.Length;
            if (size < ChunkBytes) continue;
            await responseStream.WriteAsync(chunk, ct);
            chunk = new ListChunk();
            size = 0;
        }

        chunk.ResourceVersion = page.Revision.ToString(CultureInfo.InvariantCulture);
        chunk.Continue = page.Continue ?? "";
        chunk.Last = true;
        await responseStream.WriteAsync(chunk, ct);
    }

    /// <inheritdoc/>
    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchEvents> responseStream, ServerCallContext context)
    {
        var user = await access.WhoAsync(context);
        var resource = access.Find(request.Resource);
        await access.CheckAsync(user, "watch", resource, request.Namespace, "", "", context.CancellationToken, request.FieldSelector, request.LabelSelector);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        if (request.TimeoutSeconds > 0) limit.CancelAfter(TimeSpan.FromSeconds(Math.Min(request.TimeoutSeconds, 86_400)));
        var options = new ListOptions
        {
            LabelSelector = request.LabelSelector,
            FieldSelector = request.FieldSelector,
            ResourceVersion = request.ResourceVersion,
            SendInitialEvents = request.SendInitialEvents ? true : null,
            ResourceVersionMatch = request.SendInitialEvents ? "NotOlderThan" : "",
            AllowBookmarks = request.AllowBookmarks || request.SendInitialEvents,
        };
        var batches = await registry.WatchAsync(RpcWrites.Target(user, resource, request.Namespace, "", ""), options, limit.Token);
        // The headers say that the watch is open, before anything happens.
        await context.WriteResponseHeadersAsync([]);
        try
        {
            await foreach (var batch in batches)
            {
                var events = new WatchEvents();
                foreach (var (type, entry) in batch.Events) events.Events.Add(Event(type, entry, request.OmitManagedFields));
                if (batch.Bookmark > 0)
                {
                    events.Events.Add(new WatchEvent
                    {
                        Type = WatchEvent.Types.Type.Bookmark,
                        ResourceVersion = batch.Bookmark.ToString(CultureInfo.InvariantCulture),
                        InitialEventsEnd = batch.InitialEventsEnd,
                    });
                }

                if (events.Events.Count > 0) await responseStream.WriteAsync(events, limit.Token);
                if (batch.Error is { } error) throw new ApiException(error);
            }
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            // Its time is over: the normal end.
        }
    }

    /// <inheritdoc/>
    public override async Task<ObjectReply> Create(WriteRequest request, ServerCallContext context) =>
        await writes.CreateAsync(await access.WhoAsync(context), request, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task<ObjectReply> Update(WriteRequest request, ServerCallContext context) =>
        await writes.UpdateAsync(await access.WhoAsync(context), request, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task<ObjectReply> Patch(PatchRequest request, ServerCallContext context) =>
        await writes.PatchAsync(await access.WhoAsync(context), request, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task<ObjectReply> Delete(DeleteRequest request, ServerCallContext context) =>
        await writes.DeleteAsync(await access.WhoAsync(context), request, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task<BindReply> Bind(BindRequest request, ServerCallContext context)
    {
        var user = await access.WhoAsync(context);
        var results = await Task.WhenAll(request.Bindings.Select(b => TryAsync(
            async () =>
            {
                await access.CheckAsync(user, "create", PodBinder.Pods, b.Namespace, b.Pod, "binding", context.CancellationToken);
                var target = RpcWrites.Target(user, PodBinder.Pods, b.Namespace, b.Pod, "binding");
                await binder.BindAsync(target, b.Node, b.PodUid, null, checkRoom: true, context.CancellationToken);
                return new Result { Code = 201 };
            },
            context)));
        return new BindReply { Results = { results } };
    }

    /// <inheritdoc/>
    public override async Task<BatchReply> Batch(BatchRequest request, ServerCallContext context)
    {
        var user = await access.WhoAsync(context);
        var ct = context.CancellationToken;
        var reply = new BatchReply();
        foreach (var operation in request.Operations)
        {
            reply.Results.Add(await TryAsync(
                async () =>
                {
                    var done = operation.WriteCase switch
                    {
                        Operation.WriteOneofCase.Create => await writes.CreateAsync(user, operation.Create, ct),
                        Operation.WriteOneofCase.Update => await writes.UpdateAsync(user, operation.Update, ct),
                        Operation.WriteOneofCase.Patch => await writes.PatchAsync(user, operation.Patch, ct),
                        Operation.WriteOneofCase.Delete => await writes.DeleteAsync(user, operation.Delete, ct),
                        _ => throw new ApiException(Statuses.BadRequest("the operation is empty")),
                    };
                    return new Result { Code = done.Created ? 201 : 200, Object = done.Object };
                },
                context));
        }

        return reply;
    }

    private async Task<Result> TryAsync(Func<Task<Result>> work, ServerCallContext context)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is not OperationCanceledException || !context.CancellationToken.IsCancellationRequested)
        {
            var status = Errors.ToStatus(e, logger, context.Method);
            return new Result { Code = status.Code ?? 500, Status = Bytes(KubeJson.Serialize(status)) };
        }
    }

    private static WatchEvent Event(ChangeType type, CacheEntry entry, bool lean) => new()
    {
        Type = type switch
        {
            ChangeType.Added => WatchEvent.Types.Type.Added,
            ChangeType.Modified => WatchEvent.Types.Type.Modified,
            _ => WatchEvent.Types.Type.Deleted,
        },
        Object = Bytes(lean ? entry.Lean : entry.Json),
        ResourceVersion = entry.Revision.ToString(CultureInfo.InvariantCulture),
    };

    private static ByteString Bytes(byte[] bytes) => UnsafeByteOperations.UnsafeWrap(bytes);
}
