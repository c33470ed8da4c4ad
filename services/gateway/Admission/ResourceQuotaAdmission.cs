using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Quotas;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>
/// Changes a quota as it is in the store; what the change says may be run again on a newer state.
/// </summary>
internal delegate ValueTask QuotaWriter(AdmissionAttributes attributes, string quota, Action<JsonObject> change, CancellationToken ct);

/// <summary>
/// Refuses what would exceed a quota of the namespace. What is let through is charged to the quota's status at once, in a compare-and-swap, so many creations
/// at a time cannot spend one allowance twice; the quota controller counts again when objects go and now and then.
/// </summary>
internal sealed class ResourceQuotaAdmission(IObjectReader objects, QuotaWriter write, TimeProvider time) : AdmissionPlugin("ResourceQuota")
{
    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource)
    {
        if (!resource.Namespaced || resource.Plural == "events") return false;
        if (operation == AdmissionOperation.Create) return subresource.Length == 0;
        return operation == AdmissionOperation.Update && resource.Group.Length == 0 && resource.Plural switch
        {
            "pods" => subresource == "resize",
            "services" or "persistentvolumeclaims" => subresource.Length == 0,
            _ => false,
        };
    }

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } obj || attributes.Namespace is not { Length: > 0 } ns) return;
        var quotas = await objects.ListAsync(RbacResources.ResourceQuotas, ns, ct);
        if (quotas.Count == 0) return;

        var charged = new List<(JsonObject Quota, Dictionary<string, Quantity> Delta)>();
        Dictionary<string, Quantity>? usage = null;
        foreach (var quota in quotas)
        {
            var names = Names(quota, attributes.Resource);
            if (names.Count == 0 || !QuotaScopes.Match(quota["spec"] as JsonObject, attributes.Resource, obj)) continue;
            if (IsPod(attributes.Resource) && PodResources.Missing(obj["spec"] as JsonObject, names) is { Length: > 0 } missing)
                throw Forbidden(attributes, $"failed quota: {quota.Name()}: must specify {missing}");
            usage ??= Change(attributes, obj);
            var delta = usage.Where(u => names.Contains(u.Key)).ToDictionary(StringComparer.Ordinal);
            if (delta.Count > 0) charged.Add((quota, delta));
        }

        // All are looked at before one is charged.
        foreach (var (quota, delta) in charged)
        {
            if (Refusal(attributes, quota, delta) is null) continue;
            var fresh = await objects.GetFreshAsync(RbacResources.ResourceQuotas, ns, quota.Name(), ct);
            if (fresh is not null && Refusal(attributes, fresh, delta) is { } refusal) throw refusal;
        }

        foreach (var (quota, delta) in attributes.DryRun ? [] : charged)
        {
            var after = new Dictionary<string, Quantity>(StringComparer.Ordinal);
            await write(attributes, quota.Name(), q => Charge(attributes, q, delta, after), ct);
            attributes.Undo.Add(token => write(attributes, quota.Name(), q => GiveBack(q, delta, after), token));
        }
    }

    // What the quota has to say about the resource: what its status has counted already.
    private static HashSet<string> Names(JsonObject quota, ApiResource resource) =>
        [.. (quota.At("status", "hard") as JsonObject ?? []).Select(static p => p.Key).Where(n => QuotaUsage.IsAbout(resource, n))];

    private Dictionary<string, Quantity> Change(AdmissionAttributes attributes, JsonObject obj)
    {
        var now = time.GetUtcNow();
        var usage = QuotaUsage.Of(attributes.Resource, obj, now);
        if (attributes is { Operation: AdmissionOperation.Update, OldObject: { } old })
        {
            foreach (var (name, was) in QuotaUsage.Of(attributes.Resource, old, now)) usage[name] = usage.GetValueOrDefault(name) - was;
        }

        return usage.Where(static u => u.Value.Sign > 0).ToDictionary(StringComparer.Ordinal);
    }

    private static ApiException? Refusal(AdmissionAttributes attributes, JsonObject quota, Dictionary<string, Quantity> delta)
    {
        var (hard, used) = (quota.At("status", "hard") as JsonObject, quota.At("status", "used") as JsonObject);
        var names = delta.Keys.Order(StringComparer.Ordinal).ToList();
        var unknown = names.Where(n => used?.ContainsKey(n) != true).ToList();
        if (unknown.Count > 0) return Forbidden(attributes, $"status unknown for quota: {quota.Name()}, resources: {string.Join(",", unknown)}");
        var exceeded = names.Where(n => Amount(hard, n) is { } most && Amount(used, n) is { } have && have + delta[n] > most).ToList();
        if (exceeded.Count == 0) return null;
        string List(Func<string, Quantity?> of) => string.Join(",", exceeded.Select(n => $"{n}={of(n)}"));
        return Forbidden(attributes, $"exceeded quota: {quota.Name()}, requested: {List(n => delta[n])}, used: {List(n => Amount(used, n))}, limited: {List(n => Amount(hard, n))}");
    }

    private static void Charge(AdmissionAttributes attributes, JsonObject quota, Dictionary<string, Quantity> delta, Dictionary<string, Quantity> after)
    {
        if (Refusal(attributes, quota, delta) is { } refusal) throw refusal;
        var used = (JsonObject)quota["status"]!["used"]!;
        foreach (var (name, more) in delta)
        {
            after[name] = (Amount(used, name) ?? Quantity.Zero) + more;
            used[name] = after[name].ToString();
        }
    }

    // Less than after the charge means that the controller counted meanwhile, without what was never made.
    private static void GiveBack(JsonObject quota, Dictionary<string, Quantity> delta, Dictionary<string, Quantity> after)
    {
        if (quota.At("status", "used") is not JsonObject used) return;
        foreach (var (name, more) in delta)
        {
            if (Amount(used, name) is { } have && have >= after[name]) used[name] = (have - more).ToString();
        }
    }

    private static Quantity? Amount(JsonObject? list, string name) => Quantity.TryParse(list?[name]?.ToString(), out var amount) ? amount : null;
}
