using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Network;
using Mesh.Security;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Runs a strategy as the registry does, without storage.</summary>
internal sealed class KindHarness
{
    private readonly StrategyRegistry strategies = new(new ServiceNetwork(), new Random(7));

    public MemoryReservations Reservations { get; } = new();

    public StrategyContext Context => new(UserInfo.Anonymous, "default", false, TimeProvider.System, null!, Reservations);

    public IResourceStrategy Strategy(string group, string plural, string version = "v1") => strategies.For(ResourceTable.Find(group, version, plural)!);

    public static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    public async Task<JsonObject> CreateAsync(string group, string plural, JsonObject obj, string version = "v1")
    {
        var strategy = Strategy(group, plural, version);
        strategy.Default(obj);
        strategy.PrepareForCreate(obj, Context);
        var reservation = await strategy.ReserveAsync(obj, null, Context, default);
        var errors = new List<FieldError>();
        strategy.Validate(obj, errors);
        strategy.ValidateCreate(obj, errors);
        if (errors.Count > 0)
        {
            if (reservation is not null)
                await reservation.RollbackAsync(default);
            throw Statuses.Invalid(strategy.Resource, obj.Name(), errors).ToException();
        }

        if (reservation is not null)
            await reservation.CommitAsync(default);
        return obj;
    }

    /// <summary>What is wrong with a change made through a part of the object.</summary>
    public List<FieldError> SubresourceErrors(string group, string plural, string subresource, JsonObject obj, JsonObject old, string version = "v1")
    {
        (obj, old) = (Json(obj.ToJsonString()), Json(old.ToJsonString()));
        var strategy = Strategy(group, plural, version);
        strategy.Default(obj);
        strategy.PrepareForSubresourceUpdate(subresource, obj, old, Context);
        var errors = new List<FieldError>();
        strategy.ValidateSubresourceUpdate(subresource, obj, old, errors);
        Ratchet.Forgive(errors, strategy, old);
        return errors;
    }

    public async Task<JsonObject> UpdateAsync(string group, string plural, JsonObject obj, JsonObject old, string version = "v1")
    {
        // Objects come from the wire and the store: parsed text.
        obj = Json(obj.ToJsonString());
        old = Json(old.ToJsonString());
        var strategy = Strategy(group, plural, version);
        strategy.Default(obj);
        strategy.PrepareForUpdate(obj, old, Context);
        var reservation = await strategy.ReserveAsync(obj, old, Context, default);
        var errors = new List<FieldError>();
        strategy.Validate(obj, errors);
        strategy.ValidateUpdate(obj, old, errors);
        Ratchet.Forgive(errors, strategy, old);
        if (errors.Count > 0)
            throw Statuses.Invalid(strategy.Resource, obj.Name(), errors).ToException();
        if (reservation is not null)
            await reservation.CommitAsync(default);
        return obj;
    }
}

internal sealed class MemoryReservations : IReservationStore
{
    public Dictionary<(string, string), string> Taken { get; } = [];

    public ValueTask<bool> TryTakeAsync(string range, string value, string owner, CancellationToken ct)
    {
        if (Taken.TryGetValue((range, value), out var by))
            return new(by == owner);
        Taken[(range, value)] = owner;
        return new(true);
    }

    public ValueTask ReleaseAsync(string range, string value, CancellationToken ct)
    {
        Taken.Remove((range, value));
        return default;
    }

    public ValueTask<IReadOnlyDictionary<string, string>> ListAsync(string range, CancellationToken ct) =>
        new((IReadOnlyDictionary<string, string>)Taken.Where(t => t.Key.Item1 == range).ToDictionary(t => t.Key.Item2, t => t.Value));
}
