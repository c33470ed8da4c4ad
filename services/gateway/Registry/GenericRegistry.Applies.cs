using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <content>Server-side apply: an update whose wanted state is merged from the applier's configuration; what is not there is created.</content>
internal sealed partial class GenericRegistry
{
    private static readonly Mutation Unused = static (obj, _) => new(obj);

    /// <summary>Applies a configuration. mayCreate refuses who may patch but not create, and is asked only when there is nothing to patch.</summary>
    /// <exception cref="ApiException">Any refusal; 409 with the conflicts when others own what would change.</exception>
    public async ValueTask<WriteOutcome> ApplyAsync(RequestContext request, ApplyConfig config, Func<CancellationToken, ValueTask> mayCreate, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await ModifyAsync(request, Unused, config, ct);
            }
            catch (ApiException e) when (e.IsNotFound && request.Owner.Length == 0 && e.Status.Details?.Name == request.Name)
            {
                // Nothing there: the configuration is the object.
            }

            try
            {
                return await ApplyNewAsync(request, config, mayCreate, ct);
            }
            catch (ApiException e) when (e.IsAlreadyExists && tries < GeneratedNameTries)
            {
                // Somebody was faster: merge into theirs.
            }
        }
    }

    private async ValueTask<WriteOutcome> ApplyNewAsync(RequestContext request, ApplyConfig config, Func<CancellationToken, ValueTask> mayCreate, CancellationToken ct)
    {
        var obj = (JsonObject)config.Object.DeepClone();
        config.CheckStrict(request);
        if (ObjectMetaRules.Text(obj, "uid") is { Length: > 0 } uid)
        {
            throw new ApiException(Statuses.Conflict(
                request.Resource, request.Name, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found"));
        }

        CheckNames(request, obj);
        // What is not there has no version that could differ: any that can be read is taken.
        if (ObjectMetaRules.Text(obj, "resourceVersion") is { Length: > 0 } version)
        {
            Lister.Unsigned(version);
            ObjectMetaRules.Of(obj).Remove("resourceVersion");
        }

        await mayCreate(ct);
        return await CreateAsync(request, obj, config, ct);
    }

    private ApplyResult Merge(RequestContext request, CacheEntry current, ManagedFields before, ApplyConfig config)
    {
        var result = owners.Applied(request, current, before, config);
        config.CheckStrict(request);
        CheckNames(request, result.Object);
        // The version the object has is no precondition; one in the configuration is.
        if (ObjectMetaRules.Text(config.Object, "resourceVersion").Length == 0)
            ObjectMetaRules.Of(result.Object)["resourceVersion"] = ObjectMetaRules.Text(current.Parsed, "resourceVersion");
        return result;
    }

    private static void CheckNames(RequestContext request, JsonObject obj)
    {
        CheckName(request, obj);
        CheckScope(request, obj);
    }
}
