using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Apply;

namespace Mesh.Gateway.Registry.Subresources;

/// <summary>An answer of a subresource.</summary>
/// <param name="Object">The body.</param>
/// <param name="Code">HTTP code.</param>
internal readonly record struct SubresourceAnswer(JsonObject Object, int Code = 200);

/// <summary>
/// A part of an object whose body is of another kind (scale, binding, eviction, token). Parts that are written as the object
/// itself (status, finalize, …) need none: the registry handles them through the strategy.
/// </summary>
internal interface ISubresource
{
    /// <summary>Which resources have it: "group/plural/name", or "*/name" for all.</summary>
    string Id { get; }

    /// <summary>Reads it.</summary>
    ValueTask<SubresourceAnswer> GetAsync(RequestContext request, CancellationToken ct) => throw NotSupported(request, "get");

    /// <summary>POST.</summary>
    ValueTask<SubresourceAnswer> CreateAsync(RequestContext request, JsonObject body, CancellationToken ct) => throw NotSupported(request, "create");

    /// <summary>PUT and PATCH: the mutation is given the present part and gives the wanted one.</summary>
    ValueTask<SubresourceAnswer> UpdateAsync(RequestContext request, Mutation mutate, CancellationToken ct) => throw NotSupported(request, "update");

    /// <summary>PATCH as server-side apply.</summary>
    ValueTask<SubresourceAnswer> ApplyAsync(RequestContext request, ApplyConfig config, CancellationToken ct) => throw NotSupported(request, "patch");

    private static ApiException NotSupported(RequestContext request, string verb) =>
        new(Statuses.MethodNotAllowed());
}

/// <summary>The subresources by resource.</summary>
internal sealed class SubresourceTable
{
    private readonly Dictionary<string, ISubresource> byId;

    /// <summary>Of all registered ones.</summary>
    public SubresourceTable(IEnumerable<ISubresource> subresources) => byId = subresources.ToDictionary(static s => s.Id, StringComparer.Ordinal);

    /// <summary>The handler of a subresource, or null when it is written as the object itself.</summary>
    public ISubresource? Find(ApiResource resource, string subresource) =>
        byId.TryGetValue($"{resource.Group}/{resource.Plural}/{subresource}", out var own) ? own : byId.GetValueOrDefault("*/" + subresource);
}
