using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <content>Updates: a change is computed from the present state, compared against it and, when somebody was faster, computed again.</content>
internal sealed partial class GenericRegistry
{
    private const int ConflictTries = 100;

    /// <summary>Replaces an object (PUT). Its resourceVersion, when given, must be the present one.</summary>
    /// <exception cref="ApiException">Any refusal; 409 when the resourceVersion is old.</exception>
    public async ValueTask<WriteOutcome> UpdateAsync(RequestContext request, JsonObject obj, CancellationToken ct)
    {
        CheckScope(request, obj);
        CheckName(request, obj);
        var strategy = strategies.For(request.Resource);
        var uid = ObjectMetaRules.Text(obj, "uid");
        try
        {
            // Each try works on a copy: admission and strategy change it.
            return await ModifyAsync(
                request,
                (current, _) => uid.Length == 0 || uid == ObjectMetaRules.Text(current, "uid") ? new((JsonObject)obj.DeepClone()) : throw AnotherObject(request, uid, ObjectMetaRules.Text(current, "uid")),
                ct);
        }
        catch (ApiException e) when (e.IsNotFound && uid.Length > 0 && e.Status.Details?.Name == request.Name)
        {
            throw AnotherObject(request, uid, "");
        }
        catch (ApiException e) when (e.IsNotFound && strategy.AllowCreateOnUpdate && request.Subresource.Length == 0 && ObjectMetaRules.Text(obj, "resourceVersion").Length == 0 && e.Status.Details?.Name == request.Name)
        {
            return await CreateAsync(request, obj, ct);
        }
    }

    /// <summary>Changes an object (PATCH, subresources): the mutation may run several times, on newer states.</summary>
    /// <exception cref="ApiException">Any refusal, the mutation's own included.</exception>
    public ValueTask<WriteOutcome> ModifyAsync(RequestContext request, Mutation mutate, CancellationToken ct) => ModifyAsync(request, mutate, null, ct);

    private async ValueTask<WriteOutcome> ModifyAsync(RequestContext request, Mutation mutate, ApplyConfig? applied, CancellationToken ct)
    {
        var key = Key(request, request.Name);
        var cached = (await caches.GetAsync(request.Resource, ct)).Cache.State.Find(key);
        var current = cached ?? await ReadAsync(request, key, ct);
        var stale = cached is not null;
        for (var tries = 0; tries < ConflictTries; tries++)
        {
            WriteOutcome? outcome;
            try
            {
                outcome = await TryModifyAsync(request, current, mutate, applied, ct);
            }
            catch (ApiException) when (stale)
            {
                // The refusal may be due to an old copy: once more on the truth, when that differs.
                var truth = await ReadAsync(request, key, ct);
                stale = false;
                if (truth.Revision == current.Revision) throw;
                current = truth;
                continue;
            }

            if (outcome is { } done && (!stale || !IsUnproven(request, done, current))) return done;
            var now = await ReadAsync(request, key, ct);
            stale = false;
            if (outcome is { } proven && now.Revision == current.Revision) return proven;
            current = now;
        }

        throw new ApiException(Statuses.Conflict(request.Resource, request.Name));
    }

    /// <summary>Nothing was written, so the store did not tell whether the state it was computed from is still the present one.</summary>
    private static bool IsUnproven(RequestContext request, WriteOutcome outcome, CacheEntry current) => request.DryRun || ReferenceEquals(outcome.Entry, current);

    private async ValueTask<CacheEntry> ReadAsync(RequestContext request, string key, CancellationToken ct)
    {
        var stored = await storage.GetAsync(key, ct) ?? throw NotFound(request, request.Name);
        return Entry(request, key, stored.Json, stored.Revision);
    }

    /// <summary>One try; null when the object changed meanwhile.</summary>
    private async ValueTask<WriteOutcome?> TryModifyAsync(RequestContext request, CacheEntry current, Mutation mutate, ApplyConfig? applied, CancellationToken ct)
    {
        var strategy = strategies.For(request.Resource);
        var context = Context(request);
        var old = current.Parsed;
        var before = FieldOwners.Of(current);
        var merged = applied is null ? null : Merge(request, current, before, applied);
        var obj = merged?.Object ?? await mutate((JsonObject)old.DeepClone(), ct);
        var sent = FieldOwners.Take(obj);
        CheckName(request, obj);
        CheckVersion(request, strategy, obj, current);
        ObjectMetaRules.Guard(obj, old);
        Default(strategy, obj);
        var managed = merged?.Managed ?? owners.Updated(request, current, before, obj, sent);
        var attributes = Attributes(request, AdmissionOperation.Update, obj, old);
        if (await admission.AdmitAsync(attributes, ct)) Default(strategy, obj);
        if (request.Subresource.Length == 0) strategy.PrepareForUpdate(obj, old, context);
        else strategy.PrepareForSubresourceUpdate(request.Subresource, obj, old, context);
        Complete(strategy, obj);
        ObjectMetaRules.Of(obj).Remove("resourceVersion");
        var reservation = request.Subresource.Length == 0 ? await strategy.ReserveAsync(obj, old, context, ct) : null;
        try
        {
            Check(request, strategy, obj, old);
            // Who writes a part of an object is not told about the rest.
            var warnings = request.Subresource.Length == 0 ? strategy.Warnings(obj, old) : [];
            request.Warnings.AddRange(context.Warnings.Concat(warnings).Except(request.Warnings, StringComparer.Ordinal).ToArray());
            await admission.ValidateAsync(attributes, ct);
            var outcome = await StoreChangedAsync(request, strategy, current, obj, before, managed, ct);
            if (reservation is not null && outcome is not null && !request.DryRun) await reservation.CommitAsync(ct);
            else if (reservation is not null) await reservation.RollbackAsync(ct);
            return outcome;
        }
        catch when (reservation is not null)
        {
            await reservation.RollbackAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>The object says that it is the one the URL names.</summary>
    private static void CheckName(RequestContext request, JsonObject obj)
    {
        var (name, ns) = (ObjectMetaRules.Text(obj, "name"), ObjectMetaRules.Text(obj, "namespace"));
        if (name.Length == 0)
            throw new ApiException(Statuses.BadRequest($"the name of the object ({request.Name} based on URL) was undeterminable: name must be provided"));
        if (name != request.Name)
            throw new ApiException(Statuses.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})"));
        if (request.Namespace is { Length: > 0 } wanted && ns.Length > 0 && ns != wanted)
            throw new ApiException(Statuses.BadRequest($"the namespace of the object ({ns}) does not match the namespace on the request ({wanted})"));
    }

    private static ApiException AnotherObject(RequestContext request, string uid, string found) => new(Statuses.Conflict(
        request.Resource, request.Name,
        $"StorageError: invalid object, Code: 4, Key: {Key(request, request.Name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"));

    private static void Check(RequestContext request, IResourceStrategy strategy, JsonObject obj, JsonObject old)
    {
        var errors = new List<FieldError>();
        ObjectMetaRules.ValidateUpdate(obj, old, errors);
        if (request.Subresource.Length == 0)
        {
            strategy.Validate(obj, errors);
            strategy.ValidateUpdate(obj, old, errors);
        }
        else
        {
            strategy.ValidateSubresourceUpdate(request.Subresource, obj, old, errors);
        }

        Ratchet.Forgive(errors, strategy, old);

        Refuse(request.Resource, request.Name, errors);
    }

    private async ValueTask<WriteOutcome?> StoreChangedAsync(
        RequestContext request, IResourceStrategy strategy, CacheEntry current, JsonObject obj, ManagedFields before, ManagedFields managed, CancellationToken ct)
    {
        var json = JsonBytes.Write(obj, managed, out var ownersLength, current.JsonLength + 512);
        if (EndsDeletion(strategy, obj))
        {
            if (request.DryRun) return new WriteOutcome(Unstored(request, current.Key, obj, managed), Deleted: true);
            // The writer is shown what it wrote, watchers what was there.
            return await RemoveAsync(strategy, request, current, ct) is { } gone ? gone with { Entry = Entry(request, current.Key, json, gone.Entry.Revision) } : null;
        }

        if (managed.SameBesidesTimes(before) && IsSame(current, before.TextLength, json.Length - ownersLength, obj)) return new WriteOutcome(current);
        if (request.DryRun)
        {
            ObjectMetaRules.Of(obj)["resourceVersion"] = current.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture);
            return new WriteOutcome(Unstored(request, current.Key, obj, managed));
        }

        json = strategies.ToStorage(request.Resource, obj, managed, json);
        var result = await storage.UpdateAsync(current.Key, json, current.Revision, Life(request.Resource), ct);
        return result.Succeeded ? new WriteOutcome(Entry(request, current.Key, json, result.Revision)) : null;
    }

    /// <summary>
    /// Whether nothing would change besides managedFields, which obj does not have here: equal trees can only come from texts of one length (objects
    /// with managedFields have a comma and their name more).
    /// </summary>
    private static bool IsSame(CacheEntry current, int ownersText, int length, JsonObject obj)
    {
        var versionLength = "\"resourceVersion\":\"\",".Length + current.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        if (ownersText > 0) ownersText += "\"managedFields\":,".Length;
        if (length + versionLength != current.JsonLength - ownersText) return false;
        var was = current.Parsed;
        foreach (var (name, value) in obj)
        {
            if (name == "metadata" ? !SameMetadata((JsonObject)value!, (JsonObject)was["metadata"]!) : !JsonNode.DeepEquals(value, was[name])) return false;
        }

        return obj.Count == was.Count;
    }

    private static bool SameMetadata(JsonObject meta, JsonObject was)
    {
        var others = was.Count - (was.ContainsKey("managedFields") ? 1 : 0) - (was.ContainsKey("resourceVersion") ? 1 : 0);
        return meta.Count == others && meta.All(field => was.TryGetPropertyValue(field.Key, out var value) && JsonNode.DeepEquals(field.Value, value));
    }

    /// <summary>Whether nothing would change: equal trees can only come from texts of one length, so most changes are told apart by that.</summary>
    private static bool IsSame(CacheEntry current, byte[] json, JsonObject obj)
    {
        var versionLength = "\"resourceVersion\":\"\",".Length + current.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        if (json.Length + versionLength != current.JsonLength) return false;
        var copy = (JsonObject)obj.DeepClone();
        ObjectMetaRules.Of(copy)["resourceVersion"] = ObjectMetaRules.Text(current.Parsed, "resourceVersion");
        return JsonNode.DeepEquals(copy, current.Parsed);
    }

    private static void CheckVersion(RequestContext request, IResourceStrategy strategy, JsonObject obj, CacheEntry current)
    {
        var version = ObjectMetaRules.Text(obj, "resourceVersion");
        if (version.Length == 0 || version == "0")
        {
            if (!strategy.AllowUnconditionalUpdate)
            {
                // The one refusal of this kind that names the resource, not the kind.
                throw new ApiException(Statuses.Invalid(
                    request.Resource.Group, request.Resource.Plural, request.Name, [FieldError.Invalid("metadata.resourceVersion", 0L, "must be specified for an update")]));
            }

            return;
        }

        if (Lister.Unsigned(version) != (ulong)current.Revision) throw new ApiException(Statuses.Conflict(request.Resource, request.Name));
    }
}
