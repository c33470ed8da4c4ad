using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;

namespace Mesh.Gateway.Registry;

/// <summary>
/// What one kind does on its own. The registry calls it in this order:
/// create: Default → (mutating admission, then Default again) → PrepareForCreate → ReserveAsync → Validate → (validating admission) → store;
/// update: Default → (mutating admission, then Default again) → PrepareForUpdate → ReserveAsync → Validate + ValidateUpdate → (validating admission) → store.
/// A subresource of an object (status, …) uses the methods that take its name. Objects are the request's own: change them freely;
/// "old" objects are shared: never change them.
/// </summary>
internal interface IResourceStrategy
{
    /// <summary>The resource, from the resource table.</summary>
    ApiResource Resource { get; }

    /// <summary>Whether metadata.generation counts changes outside metadata and status.</summary>
    bool HasGeneration { get; }

    /// <summary>Whether a PUT without a resourceVersion replaces whatever is there (true for nearly every kind).</summary>
    bool AllowUnconditionalUpdate { get; }

    /// <summary>Whether a PUT to a name that is not there creates the object (leases, endpoints and few others).</summary>
    bool AllowCreateOnUpdate { get; }

    /// <summary>Field selector keys besides metadata.name and metadata.namespace.</summary>
    IReadOnlyList<string> SelectableFields { get; }

    /// <summary>The values of <see cref="SelectableFields"/>, in the same order ("" when absent).</summary>
    string[] SelectableValues(JsonObject obj);

    /// <summary>Fills in defaults of the versioned API.</summary>
    void Default(JsonObject obj);

    /// <summary>Clears what a creator may not set (status, …) and sets what the server sets.</summary>
    void PrepareForCreate(JsonObject obj, StrategyContext context);

    /// <summary>Puts back what a writer of the main resource may not change (status, …).</summary>
    void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context);

    /// <summary>Keeps only what a writer of the subresource may change; everything else is put back from old.</summary>
    void PrepareForSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, StrategyContext context);

    /// <summary>Takes what must be unique in the cluster (cluster IPs, node ports) and writes it in obj. Null when nothing was taken.
    /// old is null on create; obj is null on delete (release everything old holds, on Commit).</summary>
    ValueTask<IReservation?> ReserveAsync(JsonObject? obj, JsonObject? old, StrategyContext context, CancellationToken ct);

    /// <summary>What is wrong with the object's name, in Kubernetes' words; empty when nothing. isPrefix: the text is a generateName.</summary>
    IReadOnlyList<string> ValidateName(string name, bool isPrefix);

    /// <summary>
    /// Fields that nobody comes to own by writing through the subresource ("" for the object itself), because the strategy puts them back.
    /// </summary>
    FieldSet ForeignFields(string subresource) => FieldSet.Empty;

    /// <summary>Checks a whole object (metadata is checked by the registry).</summary>
    void Validate(JsonObject obj, List<FieldError> errors);

    /// <summary>Checks what only new objects may not have. Validate has run already.</summary>
    void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
    }

    /// <summary>Checks a change (immutable fields). Validate has run already.</summary>
    void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors);

    /// <summary>Checks a change made through a subresource.</summary>
    void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors);

    /// <summary>Warnings for the writer (Warning: 299 headers); old is null on create.</summary>
    IEnumerable<string> Warnings(JsonObject obj, JsonObject? old);

    /// <summary>
    /// Grace period in seconds that a deletion of the object gets; null = deleted at once. requested = DeleteOptions.gracePeriodSeconds.
    /// The kind may change obj (pods: deletionGracePeriodSeconds from the spec; unscheduled pods get 0).
    /// </summary>
    long? GracePeriod(JsonObject obj, long? requested);

    /// <summary>Whether nothing of the kind's own holds a deleted object (namespaces: spec.finalizers).</summary>
    bool MayBeRemoved(JsonObject obj) => true;

    /// <summary>A deletion began but something holds the object: what the kind writes then (namespaces: status.phase).</summary>
    void PrepareForDelete(JsonObject obj)
    {
    }
}

/// <summary>Something taken for an object before it is stored: exactly one of the two is called.</summary>
internal interface IReservation
{
    /// <summary>The object was stored: releases what the old object held and the new one does not.</summary>
    ValueTask CommitAsync(CancellationToken ct);

    /// <summary>The object was not stored (or it was a dry run): gives back what was taken.</summary>
    ValueTask RollbackAsync(CancellationToken ct);
}

/// <summary>A cluster-wide set of taken values kept in the store: taking is atomic over all gateways.</summary>
internal interface IReservationStore
{
    /// <summary>Takes value in range (for instance "servicenodeports", "30001") for owner ("ns/name"); false when another owner has it.</summary>
    ValueTask<bool> TryTakeAsync(string range, string value, string owner, CancellationToken ct);

    /// <summary>Gives a value back; no error when it was not taken.</summary>
    ValueTask ReleaseAsync(string range, string value, CancellationToken ct);

    /// <summary>All taken values of a range with their owners.</summary>
    ValueTask<IReadOnlyDictionary<string, string>> ListAsync(string range, CancellationToken ct);
}
