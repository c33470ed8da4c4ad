using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Rpc.V1;
using Status = Mesh.Api.Meta.V1.Status;

namespace Mesh.Client;

/// <summary>
/// <see cref="IKubeClient"/> over the mesh.v1 gRPC service. Objects travel as JSON bytes; every failure of a call, transport
/// included, becomes an <see cref="ApiException"/> at <see cref="RpcFailures"/>.
/// </summary>
public sealed class KubeClient : IKubeClient
{
    private readonly Objects.ObjectsClient _objects;
    private readonly string _fieldManager;

    /// <summary>A client on a channel (see Mesh.Rpc's MeshChannel). The field manager is the writer's name in managedFields.</summary>
    public KubeClient(ChannelBase channel, string fieldManager = "mesh")
        : this(channel?.CreateCallInvoker() ?? throw new ArgumentNullException(nameof(channel)), fieldManager)
    {
    }

    /// <summary>A client on a call invoker, which may carry interceptors.</summary>
    public KubeClient(CallInvoker invoker, string fieldManager = "mesh") => (_objects, _fieldManager) = (new Objects.ObjectsClient(invoker), fieldManager);

    /// <inheritdoc />
    public async Task<T> GetAsync<T>(string? ns, string name, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var request = new GetRequest { Resource = Wire(T.Resource), Namespace = ns ?? "", Name = name };
        var reply = await RpcFailures.Map(_objects.GetAsync(request, cancellationToken: ct), ct).ConfigureAwait(false);
        return KubeJson.Deserialize<T>(reply.Object.Span);
    }

    /// <inheritdoc />
    public Task<KubeList<T>> ListAsync<T>(ListQuery query, CancellationToken ct = default)
        where T : class, IKubeObject<T> => ListCoreAsync(T.Resource, query, static bytes => KubeJson.Deserialize<T>(bytes.Span), ct);

    /// <inheritdoc />
    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(ListQuery query, bool sendInitialEvents, CancellationToken ct = default)
        where T : class, IKubeObject<T> =>
        WatchCoreAsync(T.Resource, query, sendInitialEvents, static bytes => KubeJson.Deserialize<T>(bytes.Span), ct);

    /// <inheritdoc />
    public IAsyncEnumerable<WatchEvent<byte[]>> WatchRawAsync(ApiResource resource, ListQuery query, bool sendInitialEvents, CancellationToken ct = default) =>
        WatchCoreAsync(resource, query, sendInitialEvents, static bytes => bytes.ToByteArray(), ct);

    /// <inheritdoc />
    public async Task<T> CreateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var call = _objects.CreateAsync(Write(obj, ""), cancellationToken: ct);
        return KubeJson.Deserialize<T>((await RpcFailures.Map(call, ct).ConfigureAwait(false)).Object.Span);
    }

    /// <inheritdoc />
    public async Task<T> UpdateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var call = _objects.UpdateAsync(Write(obj, ""), cancellationToken: ct);
        return KubeJson.Deserialize<T>((await RpcFailures.Map(call, ct).ConfigureAwait(false)).Object.Span);
    }

    /// <inheritdoc />
    public async Task<T> UpdateStatusAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var call = _objects.UpdateAsync(Write(obj, "status"), cancellationToken: ct);
        return KubeJson.Deserialize<T>((await RpcFailures.Map(call, ct).ConfigureAwait(false)).Object.Span);
    }

    /// <inheritdoc />
    public Task<byte[]> CreateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T> => WriteRawAsync(_objects.CreateAsync(Subresource<T>(ns, name, subresource, body), cancellationToken: ct), ct);

    /// <inheritdoc />
    public Task<byte[]> UpdateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T> => WriteRawAsync(_objects.UpdateAsync(Subresource<T>(ns, name, subresource, body), cancellationToken: ct), ct);

    /// <inheritdoc />
    public async Task<T> PatchAsync<T>(
        string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, string? subresource = null, CancellationToken ct = default)
        where T : class, IKubeObject<T>
    {
        var call = _objects.PatchAsync(Patch(T.Resource, ns, name, type, patch, subresource), cancellationToken: ct);
        return KubeJson.Deserialize<T>((await RpcFailures.Map(call, ct).ConfigureAwait(false)).Object.Span);
    }

    /// <inheritdoc />
    public Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default)
        where T : class, IKubeObject<T> => DeleteRawAsync(T.Resource, ns, name, options, ct);

    /// <inheritdoc />
    public async Task<IReadOnlyList<Status?>> BindAsync(IReadOnlyList<PodBinding> bindings, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(bindings);
        var request = new BindRequest();
        foreach (var b in bindings) request.Bindings.Add(new Rpc.V1.Binding { Namespace = b.Namespace, Pod = b.Pod, PodUid = b.Uid, Node = b.Node });
        var reply = await RpcFailures.Map(_objects.BindAsync(request, cancellationToken: ct), ct).ConfigureAwait(false);
        return [.. reply.Results.Select(r => r.Code is >= 200 and < 300 ? null : KubeJson.Deserialize<Status>(r.Status.Span))];
    }

    /// <inheritdoc />
    public Task<KubeList<ReadOnlyMemory<byte>>> ListRawAsync(ApiResource resource, ListQuery query, CancellationToken ct = default) =>
        ListCoreAsync(resource, query, static bytes => bytes.Memory, ct);

    /// <inheritdoc />
    public async Task DeleteRawAsync(ApiResource resource, string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default)
    {
        var request = new DeleteRequest { Resource = Wire(resource), Namespace = ns ?? "", Name = name };
        if (options is not null) request.Options = UnsafeByteOperations.UnsafeWrap(KubeJson.Serialize(options));
        await RpcFailures.Map(_objects.DeleteAsync(request, cancellationToken: ct), ct).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public Task<byte[]> PatchRawAsync(
        ApiResource resource, string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, CancellationToken ct = default) =>
        WriteRawAsync(_objects.PatchAsync(Patch(resource, ns, name, type, patch, null), cancellationToken: ct), ct);

    private static async Task<byte[]> WriteRawAsync(AsyncUnaryCall<ObjectReply> call, CancellationToken ct) =>
        (await RpcFailures.Map(call, ct).ConfigureAwait(false)).Object.ToByteArray();

    private async Task<KubeList<TItem>> ListCoreAsync<TItem>(ApiResource resource, ListQuery query, Func<ByteString, TItem> read, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var request = new ListRequest
        {
            Resource = Wire(resource),
            Namespace = query.Namespace ?? "",
            LabelSelector = query.LabelSelector ?? "",
            FieldSelector = query.FieldSelector ?? "",
            ResourceVersion = query.ResourceVersion ?? "",
            Limit = query.Limit,
            Continue = query.Continue ?? "",
            OmitManagedFields = query.OmitManagedFields,
        };
        using var call = _objects.List(request, cancellationToken: ct);
        var items = new List<TItem>();
        var (revision, next) = ("", "");
        while (await RpcFailures.Map(call.ResponseStream.MoveNext(ct), ct).ConfigureAwait(false))
        {
            var chunk = call.ResponseStream.Current;
            foreach (var item in chunk.Items) items.Add(read(item));
            if (chunk.Last) (revision, next) = (chunk.ResourceVersion, chunk.Continue);
        }

        return new KubeList<TItem>(items, revision, string.IsNullOrEmpty(next) ? null : next);
    }

    private async IAsyncEnumerable<WatchEvent<T>> WatchCoreAsync<T>(
        ApiResource resource, ListQuery query, bool sendInitialEvents, Func<ByteString, T> read, [EnumeratorCancellation] CancellationToken ct)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(query);
        using var call = _objects.Watch(
            new WatchRequest
            {
                Resource = Wire(resource),
                Namespace = query.Namespace ?? "",
                LabelSelector = query.LabelSelector ?? "",
                FieldSelector = query.FieldSelector ?? "",
                ResourceVersion = query.ResourceVersion ?? "",
                SendInitialEvents = sendInitialEvents,
                AllowBookmarks = true,
                OmitManagedFields = query.OmitManagedFields,
            },
            cancellationToken: ct);
        while (await RpcFailures.Map(call.ResponseStream.MoveNext(ct), ct).ConfigureAwait(false))
        {
            foreach (var e in call.ResponseStream.Current.Events) yield return Event(e, read);
        }
    }

    private static WatchEvent<T> Event<T>(Rpc.V1.WatchEvent e, Func<ByteString, T> read)
        where T : class
    {
        if (e.Type == Rpc.V1.WatchEvent.Types.Type.Error) throw new ApiException(KubeJson.Deserialize<Status>(e.Object.Span));
        var type = e.Type switch
        {
            Rpc.V1.WatchEvent.Types.Type.Added => WatchEventType.Added,
            Rpc.V1.WatchEvent.Types.Type.Modified => WatchEventType.Modified,
            Rpc.V1.WatchEvent.Types.Type.Deleted => WatchEventType.Deleted,
            _ => WatchEventType.Bookmark,
        };
        var obj = type == WatchEventType.Bookmark || e.Object.IsEmpty ? null : read(e.Object);
        return new WatchEvent<T>(type, obj, e.ResourceVersion, e.InitialEventsEnd);
    }

    private WriteRequest Write<T>(T obj, string subresource)
        where T : class, IKubeObject<T> => new()
        {
            Resource = Wire(T.Resource),
            Namespace = obj.Metadata.Namespace ?? "",
            Name = obj.Metadata.Name ?? "",
            Subresource = subresource,
            Object = UnsafeByteOperations.UnsafeWrap(KubeJson.Serialize(obj)),
            FieldManager = _fieldManager,
        };

    private WriteRequest Subresource<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body)
        where T : class, IKubeObject<T> => new()
        {
            Resource = Wire(T.Resource),
            Namespace = ns ?? "",
            Name = name,
            Subresource = subresource,
            Object = UnsafeByteOperations.UnsafeWrap(body),
            FieldManager = _fieldManager,
        };

    private PatchRequest Patch(ApiResource resource, string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, string? subresource) => new()
    {
        Resource = Wire(resource),
        Namespace = ns ?? "",
        Name = name,
        Subresource = subresource ?? "",
        Type = type switch
        {
            PatchType.Json => PatchRequest.Types.Type.Json,
            PatchType.Merge => PatchRequest.Types.Type.Merge,
            PatchType.Strategic => PatchRequest.Types.Type.Strategic,
            _ => PatchRequest.Types.Type.Apply,
        },
        Patch = UnsafeByteOperations.UnsafeWrap(patch),
        FieldManager = _fieldManager,
    };

    private static Resource Wire(ApiResource resource) => new() { Group = resource.Group, Version = resource.Version, Resource_ = resource.Plural };
}
