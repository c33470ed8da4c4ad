using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry.Apply;

/// <summary>
/// Who owns which fields after a write. The trees that strategies and admission see carry no managedFields: they are taken off a request's object
/// here, kept beside it, and written into the stored bytes.
/// </summary>
internal sealed class FieldOwners(StrategyTable strategies, TimeProvider time)
{
    private const int MaxManager = 128;
    private const int MaxSubresource = 256;

    /// <summary>The owners of a stored object.</summary>
    public static ManagedFields Of(CacheEntry entry) => ManagedFields.Read(entry.Json);

    /// <summary>Takes managedFields off an object; null when it has none.</summary>
    public static JsonNode? Take(JsonObject obj)
    {
        if (obj["metadata"] is not JsonObject meta || !meta.TryGetPropertyValue("managedFields", out var list)) return null;
        meta.Remove("managedFields");
        return list;
    }

    /// <summary>The owners of a new object.</summary>
    public ManagedFields Created(RequestContext request, JsonObject obj, JsonNode? sent)
    {
        if (Type(request.Resource) is not { } type) return ManagedFields.None;
        var given = ManagedFields.FromRequest(sent);
        if (HasNoVersion(given)) return ManagedFields.None;
        return Checked(request, given, Ownership.Created(type, obj, Writer(request), given));
    }

    /// <summary>The owners of an object that was created by apply.</summary>
    public ManagedFields CreatedBy(RequestContext request, ApplyConfig config) =>
        Type(request.Resource) is { } type ? Applier.Created(type, config.Object, Writer(request)) : ManagedFields.None;

    /// <summary>The owners after an update.</summary>
    public ManagedFields Updated(RequestContext request, CacheEntry current, ManagedFields before, JsonObject obj, JsonNode? sent)
    {
        if (Type(request.Resource) is not { } type) return ManagedFields.None;
        ManagedFields? given = null;
        // Only writers of the object itself may edit the list; most that send it send it back as they were given it.
        if (sent is not null && request.Owner.Length == 0 && !JsonNode.DeepEquals(sent, current.Parsed["metadata"]?["managedFields"])) given = ManagedFields.FromRequest(sent);
        if (HasNoVersion(given)) return ManagedFields.None;
        var start = given ?? before;
        // What nobody ever tracked (or somebody reset) is tracked again from the first apply on.
        if (start.Entries.Count == 0) return ManagedFields.None;
        var changes = Ownership.Changes(type, current.Json, obj);
        return Checked(request, given, Ownership.Updated(start, changes, Writer(request), Views(request.Resource, current.Parsed, obj)));
    }

    /// <summary>Applies a configuration to an object that is there.</summary>
    /// <exception cref="ApiException">409 with the conflicts.</exception>
    public ApplyResult Applied(RequestContext request, CacheEntry current, ManagedFields before, ApplyConfig config)
    {
        var live = (JsonObject)current.Parsed.DeepClone();
        Take(live);
        var type = config.Schema.Type;
        var respelled = Applier.Respelled(type, config.Sent, config.Object);
        var result = Run(request.Force);
        if (result.Conflicts.Count > 0)
        {
            var conflicts = LastApplied.Remaining(request, type, live, result.Conflicts);
            if (conflicts.Count > 0) throw ApplyConflicts.Refuse(conflicts);
            result = Run(force: true);
        }

        LastApplied.Sync(request, config, result.Object);
        return result;

        ApplyResult Run(bool force) =>
            Applier.Apply(type, live, before, config.Object, Writer(request), force, merged => Views(request.Resource, live, merged) ?? (static _ => null), respelled);
    }

    private Writer Writer(RequestContext request) => new(
        request.FieldManager, request.Resource.GroupVersion, request.Owner, ObjectMetaRules.Time(time.GetUtcNow()),
        strategies.For(request.Resource).ForeignFields(request.Subresource));

    private static TypeSchema? Type(ApiResource resource) => ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind)?.Type;

    private ChangesIn? Views(ApiResource resource, JsonObject was, JsonObject now) =>
        strategies.Versions(resource) is not { } versions ? null : version =>
            versions.In(version, was) is var (type, before) && versions.In(version, now) is var (_, after) ? Ownership.Changes(type, before, after) : null;

    /// <summary>Whether a manager is said to have written in what is no version: Kubernetes then keeps nothing of what is said.</summary>
    private static bool HasNoVersion(ManagedFields? given) => given?.Entries.Any(static e => e.ApiVersion.Count(static c => c == '/') > 1) == true;

    private static ManagedFields Checked(RequestContext request, ManagedFields? given, ManagedFields result)
    {
        if (given is null) return result;
        // Who owns nothing is no owner.
        if (result.Entries.Any(static e => e.Set.IsEmpty)) result = new ManagedFields(result.Entries.Where(static e => !e.Set.IsEmpty));
        var errors = new List<FieldError>();
        for (var i = 0; i < result.Entries.Count; i++)
        {
            var path = new FieldPath("metadata.managedFields").Index(i);
            if (result.Entries[i].Manager.Length > MaxManager) errors.Add(FieldError.TooLong(path.Child("manager"), MaxManager));
            if (result.Entries[i].Subresource.Length > MaxSubresource) errors.Add(FieldError.TooLong(path.Child("subresource"), MaxSubresource));
        }

        if (errors.Count > 0) throw new ApiException(Statuses.Invalid(request.Resource, request.Name, errors));
        return result;
    }
}
