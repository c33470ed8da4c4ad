using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Apply;
using Mesh.Gateway.Discovery;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>
/// Kinds that are served in several versions but stored in one, the most finished: events of events.k8s.io are stored as core events,
/// autoscalers of v1 as v2, beta and alpha versions as the version that came of them.
/// </summary>
internal sealed class VersionConversion
{
    // core name → events.k8s.io name; every other field has the same name in both.
    private static readonly (string Core, string Events)[] EventFields =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ];

    private readonly Action<JsonObject> toStorage;
    private readonly Action<JsonObject> fromStorage;

    private VersionConversion(Action<JsonObject> toStorage, Action<JsonObject> fromStorage)
    {
        this.toStorage = toStorage;
        this.fromStorage = fromStorage;
    }

    /// <summary>The conversion of a resource, or null when it is stored as it is served.</summary>
    public static VersionConversion? For(ApiResource resource) => resource switch
    {
        { Group: "events.k8s.io", Plural: "events" } => new(
            static o => Rename(o, "v1", static f => (f.Events, f.Core)), static o => Rename(o, "events.k8s.io/v1", static f => (f.Core, f.Events))),
        { Group: "autoscaling", Version: "v1", Plural: "horizontalpodautoscalers" } => new(ToMetrics, FromMetrics),
        { Group: "resource.k8s.io", Version: "v1beta1" } => new(DeviceVersions.ToFinal, DeviceVersions.FromFinal),
        _ when Stored(resource) is { } stored && stored.Version != resource.Version =>
            new(o => o["apiVersion"] = stored.GroupVersion, o => o["apiVersion"] = resource.GroupVersion),
        _ => null,
    };

    /// <summary>The resources in which the objects of a resource are served besides it.</summary>
    public static IEnumerable<ApiResource> SiblingsOf(ApiResource resource)
    {
        foreach (var other in ResourceTable.All)
        {
            if (other.Plural != resource.Plural || (other.Group == resource.Group && other.Version == resource.Version)) continue;
            if (other.Group == resource.Group || (resource.Plural == "events" && resource.Group is "" or "events.k8s.io" && other.Group is "" or "events.k8s.io")) yield return other;
        }
    }

    /// <summary>The version of a group's resource that its objects are stored in.</summary>
    private static ApiResource? Stored(ApiResource resource) =>
        resource is { Group: "autoscaling" } ? null
        : ResourceTable.All.Where(r => r.Group == resource.Group && r.Plural == resource.Plural).MaxBy(static r => ApiGroups.Rank(r.Version));

    /// <summary>Served form → stored form, in place.</summary>
    public void Store(JsonObject obj) => toStorage(obj);

    /// <summary>Stored form → served form, in place.</summary>
    public void Serve(JsonObject obj) => fromStorage(obj);

    /// <summary>The bytes to store of an object as it is served, with its owners.</summary>
    public byte[] ToStorage(JsonObject obj, ManagedFields? owners)
    {
        var copy = (JsonObject)obj.DeepClone();
        toStorage(copy);
        return JsonBytes.Write(copy, owners);
    }

    /// <summary>The served form of stored bytes.</summary>
    public ReadOnlyMemory<byte> FromStorage(ReadOnlyMemory<byte> stored)
    {
        var obj = CacheEntry.Parse(stored.Span);
        fromStorage(obj);
        return JsonBytes.Write(obj);
    }

    private static void Rename(JsonObject obj, string apiVersion, Func<(string Core, string Events), (string From, string To)> direction)
    {
        obj["apiVersion"] = apiVersion;
        foreach (var (from, to) in EventFields.Select(direction))
        {
            if (!obj.TryGetPropertyValue(from, out var value)) continue;
            obj.Remove(from);
            obj[to] = value; // null is shown in both
        }
    }

    private static void ToMetrics(JsonObject obj)
    {
        obj["apiVersion"] = "autoscaling/v2";
        if (obj["spec"] is not JsonObject spec || spec["targetCPUUtilizationPercentage"] is not { } target) return;
        spec.Remove("targetCPUUtilizationPercentage");
        spec["metrics"] = new JsonArray(new JsonObject
        {
            ["type"] = "Resource",
            ["resource"] = new JsonObject { ["name"] = "cpu", ["target"] = new JsonObject { ["type"] = "Utilization", ["averageUtilization"] = target } },
        });
    }

    private static void FromMetrics(JsonObject obj)
    {
        obj["apiVersion"] = "autoscaling/v1";
        if (obj["spec"] is JsonObject spec)
        {
            if (Cpu(spec["metrics"])?["target"]?["averageUtilization"] is { } target) spec["targetCPUUtilizationPercentage"] = target.DeepClone();
            spec.Remove("metrics");
            spec.Remove("behavior");
        }

        if (obj["status"] is not JsonObject status) return;
        if (Cpu(status["currentMetrics"])?["current"]?["averageUtilization"] is { } current) status["currentCPUUtilizationPercentage"] = current.DeepClone();
        status.Remove("currentMetrics");
        status.Remove("conditions");
    }

    private static JsonNode? Cpu(JsonNode? metrics) =>
        (metrics as JsonArray)?.FirstOrDefault(static m => m?["type"]?.ToString() == "Resource" && m["resource"]?["name"]?.ToString() == "cpu")?["resource"];
}
