using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>The strategy of every resource: the kind's own where it has one, else the common one by what the resource table says.</summary>
internal sealed class StrategyTable
{
    private readonly ConcurrentDictionary<ApiResource, IResourceStrategy> strategies = new();
    private readonly ConcurrentDictionary<ApiResource, CacheLayout> layouts = new();
    private readonly ConcurrentDictionary<ApiResource, VersionConversion?> conversions = new();
    private readonly ConcurrentDictionary<ApiResource, VersionViews?> views = new();
    private readonly Func<ApiResource, IResourceStrategy?> kinds;

    /// <summary>kinds: the strategies that kinds have for themselves.</summary>
    public StrategyTable(Func<ApiResource, IResourceStrategy?> kinds) => this.kinds = kinds;

    /// <summary>The strategy of a resource.</summary>
    public IResourceStrategy For(ApiResource resource) =>
        strategies.GetOrAdd(resource, r => kinds(r) ?? new DefaultStrategy(r, r.Subresources.Any(static s => s.Name == "status")));

    /// <summary>What the watch cache of a resource looks like.</summary>
    public CacheLayout Layout(ApiResource resource) =>
        layouts.GetOrAdd(resource, r =>
        {
            var strategy = For(r);
            return new CacheLayout(r, strategy.SelectableFields, strategy.SelectableValues, Conversion(r) is { } conversion ? conversion.FromStorage : null);
        });

    /// <summary>The bytes to store of an object; owners: its managedFields, null when they are in the tree; written: its served bytes, if there are.</summary>
    public byte[] ToStorage(ApiResource resource, JsonObject obj, ManagedFields? owners = null, byte[]? written = null) =>
        Conversion(resource) is { } conversion ? conversion.ToStorage(obj, owners) : written ?? JsonBytes.Write(obj, owners);

    /// <summary>The resource's objects in other versions, or null when there are none.</summary>
    public VersionViews? Versions(ApiResource resource) => views.GetOrAdd(resource, VersionViews.For);

    private VersionConversion? Conversion(ApiResource resource) => conversions.GetOrAdd(resource, VersionConversion.For);
}
