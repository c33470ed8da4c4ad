using System.Globalization;
using System.Text.Json.Nodes;

namespace Mesh.Api.Quotas;

/// <summary>What one object counts in a ResourceQuota, by the quota's names of resources. Admission charges by it, the quota controller counts by it.</summary>
public static class QuotaUsage
{
    private const string ClassSuffix = ".storageclass.storage.k8s.io/";
    private static readonly string[] Plain = ["configmaps", "secrets", "resourcequotas", "replicationcontrollers"];

    private static readonly HashSet<string> OfPods = new(StringComparer.Ordinal)
    {
        "pods", "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    };

    /// <summary>The name under which objects of a resource are counted: "count/deployments.apps".</summary>
    public static string CountName(ApiResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return "count/" + (resource.Group.Length == 0 ? resource.Plural : resource.Plural + "." + resource.Group);
    }

    /// <summary>Whether a quota's name is about objects of the resource.</summary>
    public static bool IsAbout(ApiResource resource, string name)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(name);
        if (name == CountName(resource)) return true;
        return resource is { Group: "", Plural: var plural } && plural switch
        {
            "pods" => OfPods.Contains(name) || name.StartsWith("hugepages-", StringComparison.Ordinal) || name.StartsWith("requests.hugepages-", StringComparison.Ordinal)
                || (name.StartsWith("requests.", StringComparison.Ordinal) && name.Contains('/')),
            "services" => name is "services" or "services.nodeports" or "services.loadbalancers",
            "persistentvolumeclaims" => name is "persistentvolumeclaims" or "requests.storage" || name.Contains(ClassSuffix, StringComparison.Ordinal),
            _ => name == plural && Plain.Contains(plural),
        };
    }

    /// <summary>What the object counts.</summary>
    public static Dictionary<string, Quantity> Of(ApiResource resource, JsonObject obj, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(obj);
        var usage = new Dictionary<string, Quantity>(StringComparer.Ordinal) { [CountName(resource)] = Quantity.FromValue(1) };
        if (resource.Group.Length > 0) return usage;
        switch (resource.Plural)
        {
            case "pods":
                if (!IsOver(obj, now)) Pod(usage, obj.Part("spec"));
                break;
            case "services":
                Service(usage, obj.Part("spec"));
                break;
            case "persistentvolumeclaims":
                Claim(usage, obj);
                break;
            case var plural when Plain.Contains(plural):
                usage[plural] = Quantity.FromValue(1);
                break;
        }

        return usage;
    }

    /// <summary>Whether a pod counts no more: it ended, or is being deleted and its time is up.</summary>
    public static bool IsOver(JsonObject pod, DateTimeOffset now)
    {
        if (pod.Part("status").Text("phase") is "Succeeded" or "Failed") return true;
        var meta = pod.Part("metadata");
        return meta?["deletionGracePeriodSeconds"] is JsonValue
            && DateTimeOffset.TryParse(meta.Text("deletionTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var deadline) && now > deadline;
    }

    private static void Pod(Dictionary<string, Quantity> usage, JsonObject? spec)
    {
        usage["pods"] = Quantity.FromValue(1);
        foreach (var (name, amount) in PodResources.Total(spec))
        {
            if (name is "cpu" or "memory" or "ephemeral-storage" || name.StartsWith("hugepages-", StringComparison.Ordinal)) usage[name] = amount;
            usage["requests." + name] = amount;
        }

        foreach (var (name, amount) in PodResources.Total(spec, "limits")) usage["limits." + name] = amount;
    }

    private static void Service(Dictionary<string, Quantity> usage, JsonObject? spec)
    {
        usage["services"] = Quantity.FromValue(1);
        var type = spec.Text("type");
        if (type == "LoadBalancer") usage["services.loadbalancers"] = Quantity.FromValue(1);
        var ports = spec.Each("ports");
        if (type == "LoadBalancer" && spec?["allocateLoadBalancerNodePorts"] is JsonValue flag && flag.TryGetValue<bool>(out var allocate) && !allocate)
            ports = ports.Where(static p => p["nodePort"] is not null);
        if (type is "NodePort" or "LoadBalancer") usage["services.nodeports"] = Quantity.FromValue(ports.Count());
    }

    private static void Claim(Dictionary<string, Quantity> usage, JsonObject claim)
    {
        var one = Quantity.FromValue(1);
        usage["persistentvolumeclaims"] = one;
        var spec = claim.Part("spec");
        var name = spec.Text("storageClassName");
        if (name.Length > 0) usage[name + ClassSuffix + "persistentvolumeclaims"] = one;
        if (!Quantity.TryParse(spec.Part("resources", "requests").Text("storage"), out var size)) return;
        usage["requests.storage"] = size;
        if (name.Length > 0) usage[name + ClassSuffix + "requests.storage"] = size;
    }
}
