using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>
/// What the bound pods of every node ask for, kept from the watch cache, plus what bindings under way have taken: binding checks
/// it so that schedulers which do not know of each other cannot overcommit a node through this gateway.
/// </summary>
internal sealed class NodeLedger(CacheSet caches)
{
    private static readonly ApiResource Pods = ResourceTable.Find("", "v1", "pods")!;
    private static readonly ApiResource Nodes = ResourceTable.Find("", "v1", "nodes")!;
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string Node, Dictionary<string, Int128> Requests, bool Pending)> byPod = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, Int128>> used = new(StringComparer.Ordinal);
    private Task? following;

    /// <summary>Takes room on a node for a pod; null when it fits, else what is missing ("cpu"). Unknown nodes take nothing and refuse nothing.</summary>
    public async ValueTask<string?> TryTakeAsync(string podKey, JsonObject pod, string node, CancellationToken ct)
    {
        await FollowAsync(ct);
        var allocatable = (await caches.GetAsync(Nodes, null, node, ct))?["status"]?["allocatable"] as JsonObject;
        var requests = Requests(pod);
        lock (gate)
        {
            if (allocatable is not null)
            {
                var taken = used.GetValueOrDefault(node);
                foreach (var (resource, wanted) in requests)
                {
                    if (wanted == 0 || !Quantity.TryParse(allocatable[resource]?.ToString(), out var total)) continue;
                    if ((taken?.GetValueOrDefault(resource) ?? 0) + wanted > total.Nanos) return resource;
                }
            }

            Put(podKey, node, requests, pending: true);
            return null;
        }
    }

    /// <summary>Gives back what a binding took that was not stored.</summary>
    public void Release(string podKey)
    {
        lock (gate)
        {
            if (byPod.TryGetValue(podKey, out var entry) && entry.Pending) Remove(podKey);
        }
    }

    /// <summary>
    /// What a pod takes: the larger of its containers' sum (with sidecars) and its largest init container, plus overhead; and one pod. While a resize
    /// is not done the most of what is asked, granted and there counts; what the node can never grant does not.
    /// </summary>
    internal static Dictionary<string, Int128> Requests(JsonObject pod)
    {
        var (spec, status) = (pod["spec"] as JsonObject, pod["status"] as JsonObject);
        var wished = !List(status, "conditions").Any(static c => c["type"]?.ToString() == "PodResizePending" && c["reason"]?.ToString() == "Infeasible");
        var sum = new Dictionary<string, Int128>(StringComparer.Ordinal);
        foreach (var container in List(spec, "containers")) Add(sum, Of(container, Told(status, "containerStatuses", container), wished));
        var sidecars = new Dictionary<string, Int128>(StringComparer.Ordinal);
        var peak = new Dictionary<string, Int128>(StringComparer.Ordinal);
        foreach (var container in List(spec, "initContainers"))
        {
            var own = Of(container, Told(status, "initContainerStatuses", container), wished);
            if (container["restartPolicy"]?.ToString() == "Always")
            {
                Add(sidecars, own);
                Max(peak, sidecars);
                continue;
            }

            Add(own, sidecars);
            Max(peak, own);
        }

        Add(sum, sidecars);
        Max(sum, peak);
        foreach (var (name, value) in spec?["resources"]?["requests"] is JsonObject ? Of(spec, status, wished) : []) sum[name] = value;
        Add(sum, Parse(spec?["overhead"] as JsonObject));
        sum["pods"] = Quantity.FromValue(1).Nanos;
        return sum;
    }

    private Task FollowAsync(CancellationToken ct)
    {
        lock (gate)
        {
            if (following is null or { IsFaulted: true }) following = StartAsync();
            return following.WaitAsync(ct);
        }
    }

    /// <summary>Completes when the present pods are counted; the loop then follows their changes for as long as the cache lives.</summary>
    private async Task StartAsync()
    {
        var feed = await caches.GetAsync(Pods, CancellationToken.None);
        var all = EntryFilter.Compile(feed.Cache.Layout, null, Mesh.Api.Selectors.Selector.Everything, Mesh.Api.Selectors.FieldSelector.Everything);
        var (watch, state) = feed.Cache.WatchNow(all) ?? throw new ApiException(Statuses.ServiceUnavailable("storage is (re)initializing"));
        lock (gate)
        {
            byPod.Clear();
            used.Clear();
            foreach (var entry in state.Entries) Apply(ChangeType.Added, entry);
        }

        _ = Task.Run(() => LoopAsync(watch));
    }

    private async Task LoopAsync(CacheWatch watch)
    {
        using (watch)
        {
            var events = new List<(ChangeType Type, CacheEntry Entry)>();
            while (true)
            {
                await watch.WaitAsync();
                events.Clear();
                var (state, _) = watch.Drain(events, 1024);
                lock (gate)
                {
                    foreach (var (type, entry) in events) Apply(type, entry);
                    if (state == WatchState.Open) continue;
                    following = null;
                    return;
                }
            }
        }
    }

    private void Apply(ChangeType type, CacheEntry entry)
    {
        var key = entry.Namespace + "/" + entry.Name;
        var pod = entry.Parsed;
        var node = pod["spec"]?["nodeName"]?.ToString() ?? "";
        var over = type == ChangeType.Deleted || pod["status"]?["phase"]?.ToString() is "Succeeded" or "Failed";
        if (over) Remove(key);
        else if (node.Length > 0) Put(key, node, Requests(pod), pending: false);
    }

    private void Put(string podKey, string node, Dictionary<string, Int128> requests, bool pending)
    {
        Remove(podKey);
        byPod[podKey] = (node, requests, pending);
        if (!used.TryGetValue(node, out var sum)) used[node] = sum = new Dictionary<string, Int128>(StringComparer.Ordinal);
        Add(sum, requests);
    }

    private void Remove(string podKey)
    {
        if (!byPod.Remove(podKey, out var entry) || !used.TryGetValue(entry.Node, out var sum)) return;
        foreach (var (name, value) in entry.Requests) sum[name] = sum.GetValueOrDefault(name) - value;
    }

    private static IEnumerable<JsonObject> List(JsonObject? spec, string name) => (spec?[name] as JsonArray)?.OfType<JsonObject>() ?? [];

    private static JsonObject? Told(JsonObject? status, string list, JsonObject container) =>
        status is null ? null : List(status, list).FirstOrDefault(s => s["name"]?.ToString() == container["name"]?.ToString());

    // Of a container and its status, or of the pod as a whole: both have the same two fields.
    private static Dictionary<string, Int128> Of(JsonObject owner, JsonObject? told, bool wished)
    {
        var asked = Parse(owner["resources"]?["requests"] as JsonObject);
        if (told?["resources"] is not JsonObject has) return asked;
        if (!wished) asked.Clear();
        Max(asked, Parse(has["requests"] as JsonObject));
        Max(asked, Parse(told["allocatedResources"] as JsonObject));
        return asked;
    }

    private static Dictionary<string, Int128> Parse(JsonObject? requests)
    {
        var parsed = new Dictionary<string, Int128>(StringComparer.Ordinal);
        foreach (var (name, value) in requests ?? [])
        {
            if (Quantity.TryParse(value?.ToString(), out var quantity)) parsed[name] = quantity.Nanos;
        }

        return parsed;
    }

    private static void Add(Dictionary<string, Int128> to, Dictionary<string, Int128> from)
    {
        foreach (var (name, value) in from) to[name] = to.GetValueOrDefault(name) + value;
    }

    private static void Max(Dictionary<string, Int128> to, Dictionary<string, Int128> from)
    {
        foreach (var (name, value) in from) to[name] = Int128.Max(to.GetValueOrDefault(name), value);
    }
}
