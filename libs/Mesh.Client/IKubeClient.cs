using Mesh.Api;
using Mesh.Api.Meta.V1;

namespace Mesh.Client;

/// <summary>How a patch body is to be read.</summary>
public enum PatchType
{
    /// <summary>RFC 6902 JSON patch.</summary>
    Json,

    /// <summary>RFC 7386 merge patch.</summary>
    Merge,

    /// <summary>Kubernetes strategic merge patch.</summary>
    Strategic,

    /// <summary>Server-side apply.</summary>
    Apply,
}

/// <summary>Selectors and paging of a list or watch. OmitManagedFields: the objects come without metadata.managedFields, often half of an object.</summary>
public sealed record ListQuery(
    string? Namespace = null,
    string? LabelSelector = null,
    string? FieldSelector = null,
    string? ResourceVersion = null,
    long Limit = 0,
    string? Continue = null,
    bool OmitManagedFields = false);

/// <summary>One answer of a list: the items and the revision they are true at.</summary>
public sealed record KubeList<T>(IReadOnlyList<T> Items, string ResourceVersion, string? Continue);

/// <summary>What happened to a watched object.</summary>
public enum WatchEventType
{
    /// <summary>The object came into the watched set.</summary>
    Added,

    /// <summary>The object changed.</summary>
    Modified,

    /// <summary>The object left the watched set.</summary>
    Deleted,

    /// <summary>Nothing changed; the revision moved on. Object is null.</summary>
    Bookmark,
}

/// <summary>One event of a watch.</summary>
public readonly record struct WatchEvent<T>(WatchEventType Type, T? Object, string ResourceVersion, bool InitialEventsEnd);

/// <summary>One pod placement.</summary>
public readonly record struct PodBinding(string Namespace, string Pod, string Uid, string Node);

/// <summary>
/// Typed access to the API over gRPC (mesh.v1). Refusals throw <see cref="ApiException"/> with the Kubernetes Status;
/// transport failures are retried by callers that are level-triggered anyway.
/// </summary>
public interface IKubeClient
{
    /// <summary>Reads one object. Namespace is null for cluster-scoped kinds.</summary>
    Task<T> GetAsync<T>(string? ns, string name, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Lists objects, following no continue token by itself.</summary>
    Task<KubeList<T>> ListAsync<T>(ListQuery query, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Watches from a revision; ends when the server ends it; throws ApiException 410 when the revision is gone.</summary>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(ListQuery query, bool sendInitialEvents, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Creates an object (namespace and name from its metadata).</summary>
    Task<T> CreateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Replaces an object; its resourceVersion, when set, must match (else 409).</summary>
    Task<T> UpdateAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Replaces the status of an object.</summary>
    Task<T> UpdateStatusAsync<T>(T obj, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Writes a subresource whose body is of another kind (token, eviction, scale, binding); the answer is JSON.</summary>
    Task<byte[]> CreateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Replaces through a subresource whose body may be of another kind (scale, finalize, resize); the answer is JSON.</summary>
    Task<byte[]> UpdateSubresourceAsync<T>(string? ns, string name, string subresource, ReadOnlyMemory<byte> body, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Patches an object or one of its subresources.</summary>
    Task<T> PatchAsync<T>(string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, string? subresource = null, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Deletes an object. Not found is an ApiException 404.</summary>
    Task DeleteAsync<T>(string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default)
        where T : class, IKubeObject<T>;

    /// <summary>Binds many pods in one call; result i belongs to binding i, null means bound.</summary>
    Task<IReadOnlyList<Status?>> BindAsync(IReadOnlyList<PodBinding> bindings, CancellationToken ct = default);

    /// <summary>Lists any resource, known by name only, as raw JSON objects (garbage collector, namespace deletion).</summary>
    Task<KubeList<ReadOnlyMemory<byte>>> ListRawAsync(ApiResource resource, ListQuery query, CancellationToken ct = default);

    /// <summary>Watches any resource; the objects are raw JSON. Otherwise as <see cref="WatchAsync{T}"/>.</summary>
    IAsyncEnumerable<WatchEvent<byte[]>> WatchRawAsync(ApiResource resource, ListQuery query, bool sendInitialEvents, CancellationToken ct = default);

    /// <summary>Deletes an object of any resource.</summary>
    Task DeleteRawAsync(ApiResource resource, string? ns, string name, DeleteOptions? options = null, CancellationToken ct = default);

    /// <summary>Patches an object of any resource; the answer is JSON.</summary>
    Task<byte[]> PatchRawAsync(ApiResource resource, string? ns, string name, PatchType type, ReadOnlyMemory<byte> patch, CancellationToken ct = default);
}
