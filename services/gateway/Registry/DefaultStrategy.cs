using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Schema;

namespace Mesh.Gateway.Registry;

/// <summary>
/// What kinds have in common: spec belongs to writers of the object, status to writers of the status. Kinds derive from it
/// and override what they do differently.
/// </summary>
internal class DefaultStrategy(ApiResource resource, bool hasStatus = false) : IResourceStrategy
{
    private static readonly string[] NoFields = [];
    private static readonly string[] VersionOnly = ["managedFields", "resourceVersion"];
    private static readonly string[] StatusMetadata = ["managedFields", "resourceVersion", "labels", "annotations"];
    private static readonly string[] StatusForeignMetadata = ["finalizers", "ownerReferences", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"];
    private static readonly FieldSet StatusField = FieldSet.Of("f:status");
    private FieldSet? besidesStatus;

    /// <inheritdoc/>
    public ApiResource Resource { get; } = resource;

    /// <inheritdoc/>
    public virtual bool HasGeneration => HasStatus;

    /// <inheritdoc/>
    public virtual bool AllowUnconditionalUpdate => !ConditionalUpdates.Has(Resource);

    /// <inheritdoc/>
    public virtual bool AllowCreateOnUpdate => false;

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> SelectableFields => NoFields;

    /// <summary>Whether a writer of the status may change labels (all but deployments).</summary>
    protected virtual bool StatusWritersLabel => true;

    /// <summary>Whether the kind has a status that only writers of the status subresource change.</summary>
    protected bool HasStatus { get; } = hasStatus;

    /// <inheritdoc/>
    public virtual string[] SelectableValues(JsonObject obj) => NoFields;

    /// <inheritdoc/>
    public virtual void Default(JsonObject obj)
    {
    }

    /// <inheritdoc/>
    public virtual void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        if (HasStatus) obj.Remove("status");
        if (HasGeneration) Meta(obj)["generation"] = 1;
    }

    /// <inheritdoc/>
    public virtual void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        if (HasStatus) PutBack("status", obj, old);
        if (HasGeneration) CountGeneration(obj, old);
    }

    /// <inheritdoc/>
    public virtual void PrepareForSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, StrategyContext context)
    {
        // A writer of the status changes status and, of the metadata, labels and annotations.
        foreach (var name in obj.Select(static p => p.Key).Union(old.Select(static p => p.Key), StringComparer.Ordinal).ToArray())
        {
            if (name is not ("status" or "metadata")) PutBack(name, obj, old);
        }

        var meta = (JsonObject)Meta(old).DeepClone();
        foreach (var name in subresource == "status" ? StatusMetadata : VersionOnly)
        {
            if (name == "labels" && !StatusWritersLabel) continue;
            meta.Remove(name);
            if (Meta(obj)[name] is { } kept) meta[name] = kept.DeepClone();
        }

        obj["metadata"] = meta;
    }

    /// <inheritdoc/>
    public virtual FieldSet ForeignFields(string subresource) => subresource switch
    {
        "" => HasStatus ? StatusField : FieldSet.Empty,
        "status" => besidesStatus ??= BesidesStatus(),
        _ => FieldSet.Empty,
    };

    /// <inheritdoc/>
    public virtual ValueTask<IReservation?> ReserveAsync(JsonObject? obj, JsonObject? old, StrategyContext context, CancellationToken ct) => new((IReservation?)null);

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> ValidateName(string name, bool isPrefix) => NoFields;

    /// <inheritdoc/>
    public virtual void Validate(JsonObject obj, List<FieldError> errors)
    {
    }

    /// <inheritdoc/>
    public virtual void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
    }

    /// <inheritdoc/>
    public virtual void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
    }

    /// <inheritdoc/>
    public virtual void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
    }

    /// <inheritdoc/>
    public virtual IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NoFields;

    /// <inheritdoc/>
    public virtual long? GracePeriod(JsonObject obj, long? requested) => null;

    /// <inheritdoc/>
    public virtual bool MayBeRemoved(JsonObject obj) => true;

    /// <inheritdoc/>
    public virtual void PrepareForDelete(JsonObject obj)
    {
    }

    /// <summary>The metadata of an object, made when it is not there.</summary>
    protected static JsonObject Meta(JsonObject obj)
    {
        if (obj["metadata"] is JsonObject meta) return meta;
        var made = new JsonObject();
        obj["metadata"] = made;
        return made;
    }

    /// <summary>Makes a top-level field what it was.</summary>
    protected static void PutBack(string field, JsonObject obj, JsonObject old)
    {
        obj.Remove(field);
        if (old[field] is { } was) obj[field] = was.DeepClone();
    }

    /// <summary>Raises metadata.generation when anything outside metadata and status differs.</summary>
    protected static void CountGeneration(JsonObject obj, JsonObject old)
    {
        var was = Meta(old)["generation"]?.GetValue<long>() ?? 0;
        Meta(obj)["generation"] = SameSpec(obj, old) ? was : was + 1;
    }

    private FieldSet BesidesStatus()
    {
        var fields = ApiSchema.Builtin.FindKind(Resource.Group, Resource.Version, Resource.Kind)?.Type.Fields ?? [];
        var foreign = fields.Where(static f => f.Name is not ("status" or "metadata")).Aggregate(FieldSet.Empty, static (all, f) => all.Union(FieldSet.Of("f:" + f.Name)));
        foreach (var name in StatusForeignMetadata) foreign = foreign.Union(FieldSet.Of("f:metadata", "f:" + name));
        return StatusWritersLabel ? foreign : foreign.Union(FieldSet.Of("f:metadata", "f:labels"));
    }

    private static bool SameSpec(JsonObject obj, JsonObject old)
    {
        foreach (var name in obj.Select(static p => p.Key).Union(old.Select(static p => p.Key), StringComparer.Ordinal))
        {
            if (name is not ("metadata" or "status") && !JsonNode.DeepEquals(obj[name], old[name])) return false;
        }

        return true;
    }
}
