using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Registry.Apply;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>Changes an object: gets the present state (a copy of its own to change, with resourceVersion) and gives the wanted one.</summary>
internal delegate ValueTask<JsonObject> Mutation(JsonObject current, CancellationToken ct);

/// <summary>
/// Create, read, update and delete of every resource: metadata, strategy, admission and storage in Kubernetes' order
/// (see <see cref="IResourceStrategy"/>). One file a verb group: this one reads and creates; updates are in Updates, deletions in Deletions.
/// </summary>
internal sealed partial class GenericRegistry(
    ObjectStorage storage, CacheSet caches, StrategyTable strategies, AdmissionChain admission, IReservationStore reservations, INameGenerator names, TimeProvider time)
{
    private const int GeneratedNameTries = 8;
    private static readonly TimeSpan EventLife = TimeSpan.FromHours(1);
    private readonly Lister lister = new(caches, storage);
    private readonly Watcher watcher = new(caches, time);
    private readonly FieldOwners owners = new(strategies, time);

    /// <summary>The strategies.</summary>
    public StrategyTable Strategies => strategies;

    /// <summary>The admission plugins.</summary>
    public AdmissionChain Admission => admission;

    /// <summary>The watch caches.</summary>
    public CacheSet Caches => caches;

    /// <summary>One object: from the store, or with a resourceVersion from the cache, at least that new.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async ValueTask<CacheEntry> GetAsync(RequestContext request, string resourceVersion, CancellationToken ct)
    {
        var key = Key(request, request.Name);
        if (resourceVersion.Length > 0)
        {
            var feed = await caches.GetAsync(request.Resource, ct);
            return (await Lister.FreshEnoughAsync(feed, resourceVersion, ct)).Find(key) ?? throw NotFound(request, request.Name);
        }

        var stored = await storage.GetAsync(key, ct);
        return stored is null ? throw NotFound(request, request.Name) : CacheEntry.Create(strategies.Layout(request.Resource), stored);
    }

    /// <summary>A page.</summary>
    public ValueTask<ListPage> ListAsync(RequestContext request, ListOptions options, CancellationToken ct) =>
        lister.ListAsync(request.Resource, request.Namespace, options, ct);

    /// <summary>A watch; refusals come at once, batches until ct or the cache ends it.</summary>
    public ValueTask<IAsyncEnumerable<WatchBatch>> WatchAsync(RequestContext request, ListOptions options, CancellationToken ct) =>
        watcher.OpenAsync(request.Resource, request.Namespace, options, ct);

    /// <summary>Creates an object. A taken generated name is tried again under another.</summary>
    /// <exception cref="ApiException">Any refusal.</exception>
    public ValueTask<WriteOutcome> CreateAsync(RequestContext request, JsonObject obj, CancellationToken ct) => CreateAsync(request, obj, null, ct);

    private async ValueTask<WriteOutcome> CreateAsync(RequestContext request, JsonObject obj, ApplyConfig? applied, CancellationToken ct)
    {
        var generated = ObjectMetaRules.Text(obj, "name").Length == 0 && ObjectMetaRules.Text(obj, "generateName").Length > 0;
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await CreateOnceAsync(request, generated ? (JsonObject)obj.DeepClone() : obj, generated, applied, ct);
            }
            catch (ApiException e) when (generated && e.IsAlreadyExists && tries < GeneratedNameTries)
            {
                // Another name.
            }
        }
    }

    private static void Default(IResourceStrategy strategy, JsonObject obj)
    {
        Complete(strategy, obj);
        strategy.Default(obj);
    }

    // What Kubernetes' own types always show (status: {}) and what they leave out (hostNetwork: false). Custom resources stay as they are.
    private static void Complete(IResourceStrategy strategy, JsonObject obj)
    {
        var resource = strategy.Resource;
        if (ApiSchema.Builtin.FindKind(resource.Group, resource.Version, resource.Kind) is { } kind)
            ObjectForm.Complete(obj, kind.Type);
    }

    private async ValueTask<WriteOutcome> CreateOnceAsync(RequestContext request, JsonObject obj, bool generated, ApplyConfig? applied, CancellationToken ct)
    {
        var strategy = strategies.For(request.Resource);
        var context = Context(request);
        CheckScope(request, obj);
        if (ObjectMetaRules.Text(obj, "resourceVersion").Length > 0)
            throw new ApiException(Statuses.BadRequest("resourceVersion should not be set on objects to be created"));
        var sent = FieldOwners.Take(obj);
        ObjectMetaRules.Fill(obj, request.Namespace, time.GetUtcNow());
        if (generated) ObjectMetaRules.Of(obj)["name"] = names.Generate(ObjectMetaRules.Text(obj, "generateName"));
        Default(strategy, obj);
        var managed = applied is null ? owners.Created(request, obj, sent) : owners.CreatedBy(request, applied);
        var attributes = Attributes(request, AdmissionOperation.Create, obj, null);
        if (await admission.AdmitAsync(attributes, ct)) Default(strategy, obj);
        strategy.PrepareForCreate(obj, context);
        Complete(strategy, obj);
        var reservation = await strategy.ReserveAsync(obj, null, context, ct);
        try
        {
            var errors = new List<FieldError>();
            ObjectMetaRules.Validate(obj, strategy, errors);
            strategy.Validate(obj, errors);
            strategy.ValidateCreate(obj, errors);
            Refuse(request.Resource, ObjectMetaRules.Text(obj, "name"), errors);
            request.Warnings.AddRange(context.Warnings);
            request.Warnings.AddRange(strategy.Warnings(obj, null));
            await admission.ValidateAsync(attributes, ct);
            var outcome = await StoreNewAsync(request, obj, managed, ct);
            if (reservation is not null && !request.DryRun) await reservation.CommitAsync(ct);
            else if (reservation is not null) await reservation.RollbackAsync(ct);
            return outcome;
        }
        catch (Exception e)
        {
            if (reservation is not null) await reservation.RollbackAsync(CancellationToken.None);
            // Of anything but a refusal it is not known whether the object was made.
            if (e is ApiException { Code: < 500 }) await AdmissionChain.UndoAsync(attributes, CancellationToken.None);
            throw;
        }
    }

    private async ValueTask<WriteOutcome> StoreNewAsync(RequestContext request, JsonObject obj, ManagedFields managed, CancellationToken ct)
    {
        var key = Key(request, ObjectMetaRules.Text(obj, "name"));
        var json = strategies.ToStorage(request.Resource, obj, managed);
        if (request.DryRun)
        {
            if (await storage.GetAsync(key, ct) is { } there) throw Taken(request, obj, there);
            return new WriteOutcome(Unstored(request, key, obj, managed), Created: true);
        }

        var result = await storage.CreateAsync(key, json, Life(request.Resource), ct);
        if (!result.Succeeded) throw Taken(request, obj, await storage.GetAsync(key, ct));
        return new WriteOutcome(Entry(request, key, json, result.Revision), Created: true);
    }

    /// <summary>409: the name is taken; by an object that is going it will soon be free, and who had it made up by the server may ask again.</summary>
    private ApiException Taken(RequestContext request, JsonObject obj, StoredObject? there)
    {
        var name = ObjectMetaRules.Text(obj, "name");
        var status = ObjectMetaRules.Text(obj, "generateName").Length > 0
            ? Statuses.GenerateNameConflict(request.Resource.Group, request.Resource.Plural, name)
            : Statuses.AlreadyExists(request.Resource, name);
        if (there is not null && ObjectMetaRules.Text(CacheEntry.Create(strategies.Layout(request.Resource), there).Parsed, "deletionTimestamp").Length > 0)
            status.Message = "object is being deleted: " + status.Message;
        return new ApiException(status);
    }

    private static TimeSpan? Life(ApiResource resource) =>
        resource is { Plural: "events", Group: "" or "events.k8s.io" } ? EventLife : null;

    private static void CheckScope(RequestContext request, JsonObject obj)
    {
        var ns = ObjectMetaRules.Text(obj, "namespace");
        if (request.Resource.Namespaced && ns.Length > 0 && ns != request.Namespace)
            throw new ApiException(Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request"));
        if (!request.Resource.Namespaced && ns.Length > 0)
            throw new ApiException(Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request"));
    }

    private static void Refuse(ApiResource resource, string name, List<FieldError> errors)
    {
        // Events are one kind, whatever group they are written in.
        var group = resource is { Group: "events.k8s.io", Plural: "events" } ? "" : resource.Group;
        if (errors.Count > 0) throw new ApiException(Statuses.Invalid(group, resource.Kind, name, errors));
    }

    private static ApiException NotFound(RequestContext request, string name) => new(Statuses.NotFound(request.Resource, name));

    private static string Key(RequestContext request, string name) => StorageKeys.Key(request.Resource, request.Namespace, name);

    private CacheEntry Entry(RequestContext request, string key, ReadOnlyMemory<byte> json, long revision) =>
        CacheEntry.Create(strategies.Layout(request.Resource), new StoredObject(key, json, revision));

    /// <summary>What a dry run answers: the object as it would be, without a resourceVersion of its own.</summary>
    private CacheEntry Unstored(RequestContext request, string key, JsonObject obj, ManagedFields? managed = null) =>
        CacheEntry.Unstored(strategies.Layout(request.Resource), key, JsonBytes.Write(obj, managed));

    private StrategyContext Context(RequestContext request) =>
        new(request.User, request.Namespace, request.DryRun, time, caches, reservations);

    private static AdmissionAttributes Attributes(RequestContext request, AdmissionOperation operation, JsonObject? obj, JsonObject? old) => new()
    {
        Operation = operation,
        Resource = request.Resource,
        Subresource = request.Subresource,
        Namespace = request.Namespace,
        Name = obj is not null ? ObjectMetaRules.Text(obj, "name") is { Length: > 0 } name ? name : request.Name : request.Name,
        Object = obj,
        OldObject = old,
        User = request.User,
        DryRun = request.DryRun,
        Warnings = request.Warnings,
    };
}
