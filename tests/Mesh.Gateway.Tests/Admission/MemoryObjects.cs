using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Tests.Admission;

/// <summary>Objects in memory, as admission and authorization read them.</summary>
internal sealed class MemoryObjects : IObjectReader, IPolicyStore
{
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private long _revision;

    public MemoryObjects Add(ApiResource resource, string json)
    {
        var obj = JsonNode.Parse(json)!.AsObject();
        return Put(resource, obj);
    }

    public MemoryObjects Put(ApiResource resource, JsonObject obj)
    {
        _objects[Key(resource, resource.Namespaced ? obj.NamespaceOf() : null, obj.Name())] = obj;
        _revision++;
        return this;
    }

    public ValueTask<JsonObject?> GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct) =>
        new(_objects.GetValueOrDefault(Key(resource, ns, name)));

    public ValueTask<JsonObject?> GetFreshAsync(ApiResource resource, string? ns, string name, CancellationToken ct) => GetAsync(resource, ns, name, ct);

    public ValueTask<IReadOnlyList<JsonObject>> ListAsync(ApiResource resource, string? ns, CancellationToken ct)
    {
        var prefix = $"{resource.Group}/{resource.Plural}/" + (ns is null ? "" : ns + "/");
        return new([.. _objects.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(o => o.Value)]);
    }

    public ValueTask<T?> GetAsync<T>(string? ns, string name, CancellationToken ct)
        where T : class, IKubeObject<T> => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<T>> ListAsync<T>(string? ns, CancellationToken ct)
        where T : class, IKubeObject<T> => throw new NotSupportedException();

    public ValueTask<long> ChangedAtAsync(ApiResource resource, CancellationToken ct) => new(_revision);

    async Task<JsonObject?> IPolicyStore.GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct) => await GetAsync(resource, ns, name, ct);

    public Task CreateAsync(ApiResource resource, JsonObject obj, CancellationToken ct)
    {
        Put(resource, obj);
        return Task.CompletedTask;
    }

    public Task UpdateAsync(ApiResource resource, JsonObject obj, CancellationToken ct) => CreateAsync(resource, obj, ct);

    public Task DeleteAsync(ApiResource resource, string? ns, string name, CancellationToken ct)
    {
        _objects.Remove(Key(resource, ns, name));
        _revision++;
        return Task.CompletedTask;
    }

    private static string Key(ApiResource resource, string? ns, string name) => $"{resource.Group}/{resource.Plural}/" + (ns is null ? "" : ns + "/") + name;
}
