using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Security;

namespace Mesh.Gateway.Tests.Admission;

/// <summary>LimitRanger and ResourceQuota (scenario D6): defaults, and refusals in Kubernetes' words.</summary>
public sealed class LimitTests
{
    private readonly MemoryObjects _objects = new();

    [Fact]
    public async Task Containers_get_the_defaults_of_their_namespace()
    {
        Range("""{"type":"Container","default":{"cpu":"500m","memory":"1Gi"},"defaultRequest":{"cpu":"100m"}}""");
        var pod = JsonNode.Parse("""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}],"initContainers":[{"name":"i"}]}}""")!.AsObject();
        Assert.Null(await Admit(new LimitRanger(_objects), pod));
        Assert.Equal("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m"}}""", pod["spec"]!["containers"]![0]!["resources"]!.ToJsonString());
        Assert.Equal(
            "LimitRanger plugin set: cpu request for container a; memory limit for container a; cpu request for init container i; cpu, memory limit for init container i",
            pod.Obj("metadata", "annotations").Str("kubernetes.io/limit-ranger"));
    }

    [Theory]
    [InlineData("""{"type":"Container","max":{"cpu":"1"}}""", """{"requests":{"cpu":"1"}}""", "maximum cpu usage per Container is 1.  No limit is specified")]
    [InlineData("""{"type":"Container","max":{"cpu":"1"}}""", """{"limits":{"cpu":"2"}}""", "maximum cpu usage per Container is 1, but limit is 2")]
    [InlineData("""{"type":"Container","min":{"cpu":"1"}}""", """{}""", "minimum cpu usage per Container is 1.  No request is specified")]
    [InlineData("""{"type":"Container","min":{"cpu":"1","memory":"1Gi"}}""", """{"requests":{"cpu":"500m","memory":"1Mi"}}""",
        "[minimum cpu usage per Container is 1, but request is 500m, minimum memory usage per Container is 1Gi, but request is 1Mi]")]
    [InlineData("""{"type":"Container","maxLimitRequestRatio":{"cpu":"2"}}""", """{"requests":{"cpu":"200m"},"limits":{"cpu":"1"}}""", "cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000")]
    [InlineData("""{"type":"Pod","max":{"cpu":"1"}}""", """{"limits":{"cpu":"1500m"}}""", "maximum cpu usage per Pod is 1, but limit is 1500m")]
    [InlineData("""{"type":"Pod","max":{"cpu":"2"}}""", """{"limits":{"cpu":"1500m"}}""", null)]
    public async Task Pods_stay_within_their_limits(string limit, string resources, string? why)
    {
        Range(limit);
        var refusal = await Admit(new LimitRanger(_objects), Pod(resources));
        Assert.Equal(why is null ? null : "pods \"p\" is forbidden: " + why, refusal);
    }

    [Fact]
    public async Task Claims_stay_within_their_limits()
    {
        Range("""{"type":"PersistentVolumeClaim","max":{"storage":"1Gi"},"min":{"storage":"1Mi"}}""");
        var claim = JsonNode.Parse("""{"metadata":{"name":"p"},"spec":{"resources":{"requests":{"storage":"2Gi"}}}}""")!.AsObject();
        Assert.Equal("persistentvolumeclaims \"p\" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi", await Admit(new LimitRanger(_objects), claim, RbacResources.PersistentVolumeClaims));
    }

    [Theory]
    [InlineData("""{"hard":{"pods":"2"},"used":{"pods":"2"}}""", "{}", "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2")]
    [InlineData("""{"hard":{"requests.cpu":"1","pods":"9"},"used":{"requests.cpu":"800m","pods":"1"}}""", """{"requests":{"cpu":"500m"}}""",
        "exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=800m, limited: requests.cpu=1")]
    [InlineData("""{"hard":{"limits.cpu":"1","requests.memory":"1Gi"},"used":{"limits.cpu":"0","requests.memory":"0"}}""", "{}", "failed quota: q: must specify limits.cpu for: a; requests.memory for: a")]
    [InlineData("""{"hard":{"pods":"2"}}""", "{}", "status unknown for quota: q, resources: pods")]
    [InlineData("""{"hard":{"count/pods":"1"},"used":{"count/pods":"1"}}""", "{}", "exceeded quota: q, requested: count/pods=1, used: count/pods=1, limited: count/pods=1")]
    [InlineData("""{"hard":{"services":"0"},"used":{"services":"0"}}""", "{}", null)]
    [InlineData("""{"hard":{"pods":"2"},"used":{"pods":"1"}}""", "{}", null)]
    public async Task Quotas_are_not_exceeded(string status, string resources, string? why)
    {
        Quota("{}", status);
        Assert.Equal(why is null ? null : "pods \"p\" is forbidden: " + why, await Admit(Quotas(), Pod(resources)));
    }

    [Fact]
    public async Task What_is_let_through_is_charged_at_once()
    {
        Quota("{}", """{"hard":{"pods":"2","requests.cpu":"1"},"used":{"pods":"1","requests.cpu":"100m"}}""");
        Assert.Null(await Admit(Quotas(), Pod("""{"requests":{"cpu":"200m"}}""")));
        Assert.Equal("""{"pods":"2","requests.cpu":"300m"}""", (await _objects.GetAsync(RbacResources.ResourceQuotas, "ns", "q", default))!["status"]!["used"]!.ToJsonString());
        Assert.StartsWith("pods \"p\" is forbidden: exceeded quota: q, requested: pods=1", await Admit(Quotas(), Pod("""{"requests":{"cpu":"200m"}}""")));
    }

    [Theory]
    [InlineData("""{"scopes":["BestEffort"]}""", "BestEffort", true)]
    [InlineData("""{"scopes":["BestEffort"]}""", "Burstable", false)]
    [InlineData("""{"scopes":["NotBestEffort","Terminating"]}""", "Burstable", false)]
    [InlineData("""{"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}}""", "Burstable", true)]
    [InlineData("""{"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"NotIn","values":["high"]}]}}""", "Burstable", false)]
    public async Task Quotas_are_about_their_scopes(string spec, string quality, bool refused)
    {
        Quota(spec, """{"hard":{"pods":"0"},"used":{"pods":"0"}}""");
        var pod = Pod("{}");
        pod["status"] = new JsonObject { ["qosClass"] = quality };
        pod["spec"]!["priorityClassName"] = "high";
        Assert.Equal(refused, await Admit(Quotas(), pod) is not null);
    }

    [Theory]
    [InlineData("", "services", """{"spec":{"type":"NodePort","ports":[{"port":1},{"port":2}]}}""", "services.nodeports", "exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1")]
    [InlineData("", "persistentvolumeclaims", """{"spec":{"storageClassName":"fast","resources":{"requests":{"storage":"2Gi"}}}}""", "fast.storageclass.storage.k8s.io/requests.storage",
        "exceeded quota: q, requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi, used: fast.storageclass.storage.k8s.io/requests.storage=0, limited: fast.storageclass.storage.k8s.io/requests.storage=1")]
    [InlineData("", "configmaps", "{}", "configmaps", null)]
    [InlineData("apps", "deployments", "{}", "count/deployments.apps", null)]
    public async Task Other_kinds_count_too(string group, string plural, string json, string name, string? why)
    {
        Quota("{}", $$$"""{"hard":{"{{{name}}}":"1"},"used":{"{{{name}}}":"0"}}""");
        var obj = JsonNode.Parse(json)!.AsObject();
        obj.Ensure("metadata")["name"] = "p";
        var resource = ResourceTable.Find(group, "v1", plural)!;
        Assert.Equal(why is null ? null : $"{plural} \"p\" is forbidden: {why}", await Admit(Quotas(), (JsonObject)obj.DeepClone(), resource));
        if (why is null)
            Assert.Contains($"exceeded quota: q, requested: {name}=1, used: {name}=1, limited: {name}=1", await Admit(Quotas(), obj, resource));
    }

    private ResourceQuotaAdmission Quotas() => new(
        _objects,
        async (attributes, name, change, ct) => change((await _objects.GetAsync(RbacResources.ResourceQuotas, attributes.Namespace, name, ct))!),
        TimeProvider.System);

    private void Quota(string spec, string status) => _objects.Add(RbacResources.ResourceQuotas, $$$"""{"metadata":{"name":"q","namespace":"ns"},"spec":{{{spec}}},"status":{{{status}}}}""");

    private void Range(string limit) => _objects.Add(RbacResources.LimitRanges, $$$"""{"metadata":{"name":"l","namespace":"ns"},"spec":{"limits":[{{{limit}}}]}}""");

    private static JsonObject Pod(string resources) =>
        JsonNode.Parse($$$"""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","resources":{{{resources}}}}]}}""")!.AsObject();

    private static async Task<string?> Admit(IAdmissionPlugin plugin, JsonObject obj, ApiResource? resource = null)
    {
        var attributes = new AdmissionAttributes
        {
            Operation = AdmissionOperation.Create,
            Resource = resource ?? RbacResources.Pods,
            Namespace = "ns",
            Name = "p",
            User = new UserInfo("alice", "", []),
            Object = obj,
        };
        Assert.True(plugin.Handles(attributes.Operation, attributes.Resource, ""));
        try
        {
            await plugin.AdmitAsync(attributes, default);
            await plugin.ValidateAsync(attributes, default);
            return null;
        }
        catch (ApiException refused)
        {
            Assert.Equal(403, refused.Code);
            return refused.Message;
        }
    }
}
