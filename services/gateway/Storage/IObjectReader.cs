using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Storage;

/// <summary>
/// Reads objects of any resource from the watch cache, for admission, authorization, allocators and strategies. A resource's
/// cache starts on first use. What comes back is shared and parsed once: read it, never change it.
/// It is at most a few milliseconds behind the store; <see cref="GetFreshAsync"/> asks the store itself.
/// </summary>
internal interface IObjectReader
{
    /// <summary>One object or null; ns is null for cluster-scoped kinds.</summary>
    ValueTask<JsonObject?> GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct);

    /// <summary>One object straight from the store (a miss in the cache that would refuse a request is worth a round trip).</summary>
    ValueTask<JsonObject?> GetFreshAsync(ApiResource resource, string? ns, string name, CancellationToken ct);

    /// <summary>All objects of a namespace, or of all (null), ordered by key.</summary>
    ValueTask<IReadOnlyList<JsonObject>> ListAsync(ApiResource resource, string? ns, CancellationToken ct);

    /// <summary>One object as its class or null; the instance is shared by all readers of this revision.</summary>
    ValueTask<T?> GetAsync<T>(string? ns, string name, CancellationToken ct)
        where T : class, IKubeObject<T>;

    /// <summary>All objects as their class.</summary>
    ValueTask<IReadOnlyList<T>> ListAsync<T>(string? ns, CancellationToken ct)
        where T : class, IKubeObject<T>;

    /// <summary>Revision of the last change seen in this resource: what was derived from a list is good while it stays the same.</summary>
    ValueTask<long> ChangedAtAsync(ApiResource resource, CancellationToken ct);
}
