using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <content>
/// Deletions: an object goes at once, or, when finalizers or a grace period hold it, gets a deletionTimestamp and goes when the
/// last of them is done.
/// </content>
internal sealed partial class GenericRegistry
{
    private const string Orphan = "orphan";
    private const string Foreground = "foregroundDeletion";

    /// <summary>Deletes an object. Deleted is false while something still holds it.</summary>
    /// <exception cref="ApiException">404; 409 when a precondition fails; any refusal of admission.</exception>
    public async ValueTask<WriteOutcome> DeleteAsync(RequestContext request, DeleteRequest options, CancellationToken ct)
    {
        CheckPolicy(options);
        var strategy = strategies.For(request.Resource);
        var key = Key(request, request.Name);
        for (var tries = 0; tries < ConflictTries; tries++)
        {
            var current = await ReadAsync(request, key, ct);
            CheckPreconditions(request, options, current.Parsed);
            var attributes = Attributes(request, AdmissionOperation.Delete, null, current.Parsed);
            await admission.AdmitAsync(attributes, ct);
            await admission.ValidateAsync(attributes, ct);
            if (await TryDeleteAsync(request, strategy, options, current, ct) is { } outcome) return outcome;
        }

        throw new ApiException(Statuses.Conflict(request.Resource, request.Name));
    }

    /// <summary>Deletes what a list selects; gives the objects as they were listed. Each deletion is on its own.</summary>
    public async ValueTask<ListPage> DeleteCollectionAsync(RequestContext request, ListOptions list, DeleteRequest options, CancellationToken ct)
    {
        var page = await lister.ListAsync(request.Resource, request.Namespace, list, ct);
        foreach (var entry in page.Items)
        {
            var one = new RequestContext
            {
                User = request.User,
                Resource = request.Resource,
                Namespace = request.Resource.Namespaced ? entry.Namespace : null,
                Name = entry.Name,
                DryRun = request.DryRun,
            };
            try
            {
                await DeleteAsync(one, options, ct);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone already: what was wanted.
            }
        }

        return page;
    }

    private async ValueTask<WriteOutcome?> TryDeleteAsync(RequestContext request, IResourceStrategy strategy, DeleteRequest options, CacheEntry current, CancellationToken ct)
    {
        var obj = (JsonObject)current.Parsed.DeepClone();
        var (marked, waits) = Mark(strategy, options, obj);
        var finalizers = WantedFinalizers(options, ObjectMetaRules.Finalizers(obj));
        ObjectMetaRules.SetFinalizers(obj, finalizers);
        if (!waits && finalizers.Count == 0 && strategy.MayBeRemoved(obj))
        {
            if (request.DryRun) return new WriteOutcome(current, Deleted: true);
            return await RemoveAsync(strategy, request, current, ct);
        }

        if (marked) strategy.PrepareForDelete(obj);
        ObjectMetaRules.Of(obj).Remove("resourceVersion");
        var json = JsonBytes.Write(obj);
        if (IsSame(current, json, obj)) return new WriteOutcome(current);
        if (request.DryRun) return new WriteOutcome(Unstored(request, current.Key, obj));
        json = strategies.ToStorage(request.Resource, obj);
        var result = await storage.UpdateAsync(current.Key, json, current.Revision, Life(request.Resource), ct);
        return result.Succeeded ? new WriteOutcome(Entry(request, current.Key, json, result.Revision)) : null;
    }

    /// <summary>Sets deletionTimestamp and deletionGracePeriodSeconds; whether that is new, and whether a grace period holds the object.</summary>
    private (bool Marked, bool Waits) Mark(IResourceStrategy strategy, DeleteRequest options, JsonObject obj)
    {
        var meta = ObjectMetaRules.Of(obj);
        var now = time.GetUtcNow();
        if (ObjectMetaRules.IsDeleting(obj))
        {
            var remaining = ObjectMetaRules.Grace(obj) ?? 0;
            if (options.GracePeriodSeconds is not { } wanted || wanted >= remaining) return (false, remaining > 0);
            var began = DateTimeOffset.Parse(ObjectMetaRules.Text(obj, "deletionTimestamp"), CultureInfo.InvariantCulture).AddSeconds(-remaining);
            meta["deletionTimestamp"] = ObjectMetaRules.Time(wanted == 0 ? now : began.AddSeconds(wanted));
            meta["deletionGracePeriodSeconds"] = wanted;
            return (false, wanted > 0);
        }

        var grace = Math.Max(0, strategy.GracePeriod(obj, options.GracePeriodSeconds) ?? 0);
        meta["deletionTimestamp"] = ObjectMetaRules.Time(now.AddSeconds(grace));
        meta["deletionGracePeriodSeconds"] = grace;
        if (strategy.HasGeneration && meta["generation"] is JsonValue v && v.TryGetValue<long>(out var generation) && generation > 0) meta["generation"] = generation + 1;
        return (true, grace > 0);
    }

    private static IReadOnlyList<string> WantedFinalizers(DeleteRequest options, IReadOnlyList<string> present) => options.PropagationPolicy switch
    {
        "Orphan" => [.. present.Where(static f => f is not (Foreground or Orphan)), Orphan],
        "Foreground" => [.. present.Where(static f => f is not (Foreground or Orphan)), Foreground],
        "Background" => [.. present.Where(static f => f is not (Foreground or Orphan))],
        _ => present,
    };

    /// <summary>Whether a change lets go the last thing that held a deleted object.</summary>
    private static bool EndsDeletion(IResourceStrategy strategy, JsonObject obj) =>
        ObjectMetaRules.IsDeleting(obj) && (ObjectMetaRules.Grace(obj) ?? 0) == 0 && ObjectMetaRules.Finalizers(obj).Count == 0 && strategy.MayBeRemoved(obj);

    private async ValueTask<WriteOutcome?> RemoveAsync(IResourceStrategy strategy, RequestContext request, CacheEntry current, CancellationToken ct)
    {
        var reservation = await strategy.ReserveAsync(null, current.Parsed, Context(request), ct);
        var result = await storage.DeleteAsync(current.Key, current.Revision, ct);
        if (!result.Succeeded) return null;
        if (reservation is not null) await reservation.CommitAsync(CancellationToken.None);
        return new WriteOutcome(current.AtRevision(result.Revision), Deleted: true);
    }

    private static void CheckPreconditions(RequestContext request, DeleteRequest options, JsonObject obj)
    {
        var (uid, version) = (ObjectMetaRules.Text(obj, "uid"), ObjectMetaRules.Text(obj, "resourceVersion"));
        // These name the kind where other conflicts name the resource.
        if (options.Uid is { } wanted && wanted != uid)
        {
            throw new ApiException(Statuses.Conflict(
                request.Resource.Group, request.Resource.Kind, request.Name,
                $"the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"));
        }

        if (options.ResourceVersion is { } revision && revision != version)
        {
            throw new ApiException(Statuses.Conflict(
                request.Resource.Group, request.Resource.Kind, request.Name,
                $"the ResourceVersion in the precondition ({revision}) does not match the ResourceVersion in record ({version}). The object might have been modified"));
        }
    }

    private static void CheckPolicy(DeleteRequest options)
    {
        if (options.PropagationPolicy is null or "Orphan" or "Foreground" or "Background") return;
        throw new ApiException(Statuses.Invalid(
            "meta.k8s.io", "DeleteOptions", "", [FieldError.NotSupported("propagationPolicy", options.PropagationPolicy, "Foreground", "Background", "Orphan", "nil")]));
    }
}
