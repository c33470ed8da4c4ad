using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <content>Changes that a subresource makes to its object by rules of its own (binding, eviction): no strategy in between.</content>
internal sealed partial class GenericRegistry
{
    /// <summary>
    /// Changes an object as it is in the store: change edits the copy it is given, or refuses with an ApiException. It may run again on a
    /// newer state.
    /// </summary>
    public async ValueTask<CacheEntry> RewriteAsync(RequestContext request, Action<JsonObject> change, CancellationToken ct)
    {
        var key = Key(request, request.Name);
        var cached = (await caches.GetAsync(request.Resource, ct)).Cache.State.Find(key);
        var current = cached ?? await ReadAsync(request, key, ct);
        var stale = cached is not null;
        for (var tries = 0; tries < ConflictTries; tries++)
        {
            var obj = (JsonObject)current.Parsed.DeepClone();
            try
            {
                change(obj);
            }
            catch (ApiException) when (stale)
            {
                current = await ReadAsync(request, key, ct);
                stale = false;
                continue;
            }

            ObjectMetaRules.Of(obj).Remove("resourceVersion");
            var json = JsonBytes.Write(obj);
            if (request.DryRun) return Unstored(request, key, obj);
            var result = await storage.UpdateAsync(key, json, current.Revision, null, ct);
            if (result.Succeeded) return Entry(request, key, json, result.Revision);
            current = result.Current is { } now ? Entry(request, key, now.Json, now.Revision) : throw NotFound(request, request.Name);
            stale = false;
        }

        throw new ApiException(Statuses.Conflict(request.Resource, request.Name));
    }

    /// <summary>Runs admission for a create of a subresource whose body is a kind of its own.</summary>
    public async ValueTask AdmitSubresourceAsync(RequestContext request, JsonObject body, CancellationToken ct)
    {
        var attributes = Attributes(request, AdmissionOperation.Create, body, null);
        await admission.AdmitAsync(attributes, ct);
        await admission.ValidateAsync(attributes, ct);
    }
}
