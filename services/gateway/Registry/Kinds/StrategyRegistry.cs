using System.Collections.Frozen;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Certificates;
using Mesh.Gateway.Registry.Kinds.Cluster;
using Mesh.Gateway.Registry.Kinds.Config;
using Mesh.Gateway.Registry.Kinds.Extension;
using Mesh.Gateway.Registry.Kinds.Network;
using Mesh.Gateway.Registry.Kinds.Pods;
using Mesh.Gateway.Registry.Kinds.Storage;
using Mesh.Gateway.Registry.Kinds.Workloads;

namespace Mesh.Gateway.Registry.Kinds;

/// <summary>The strategy of every resource; a resource without rules of its own gets the generic one.</summary>
internal sealed class StrategyRegistry
{
    // Kinds without status whose generation counts changes all the same.
    private static readonly FrozenSet<string> Counted = new[]
    {
        "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies", "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "customresourcedefinitions", "flowschemas", "prioritylevelconfigurations",
        "ingressclasses", "poddisruptionbudgets", "networkpolicies", "deviceclasses", "resourceslices",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> PathSegmentNames = new[] { "certificatesigningrequests", "ipaddresses" }.ToFrozenSet(StringComparer.Ordinal);

    // Versions whose fields are the same.
    private static readonly string[] Versions = ["v1", "v1beta1", "v1alpha1"];
    private static readonly string[] SameDevices = ["v1", "v1beta2"];

    private readonly FrozenDictionary<ApiResource, IResourceStrategy> strategies;

    /// <summary>The strategies of a cluster with this network; randomness picks free IPs and ports.</summary>
    public StrategyRegistry(ServiceNetwork network, Random random)
    {
        IResourceStrategy[] known =
        [
            new PodStrategy(), new PodTemplateStrategy(), new ServiceStrategy(new ServiceAllocator(network, random)), new ConfigMapStrategy(), new SecretStrategy(),
            new NamespaceStrategy(), new ServiceAccountStrategy(), new NodeStrategy(), new EndpointsStrategy(), new ReplicationControllerStrategy(),
            new PersistentVolumeStrategy(), new PersistentVolumeClaimStrategy(), new ResourceQuotaStrategy(), new LimitRangeStrategy(),
            new EventStrategy(string.Empty), new EventStrategy("events.k8s.io"),
            new DeploymentStrategy(), new ReplicaSetStrategy(), new DaemonSetStrategy(), new StatefulSetStrategy(), new JobStrategy(), new CronJobStrategy(),
            new ControllerRevisionStrategy(), new HorizontalPodAutoscalerStrategy("v1"), new HorizontalPodAutoscalerStrategy("v2"),
            new EndpointSliceStrategy(), new IngressStrategy(), new IngressClassStrategy(), new ServiceCidrStrategy("v1"), new ServiceCidrStrategy("v1beta1"),
            new IpAddressStrategy("v1"), new IpAddressStrategy("v1beta1"), new NetworkPolicyStrategy(), new LeaseStrategy(),
            new RoleStrategy("roles", namespaced: true), new RoleStrategy("clusterroles", namespaced: false),
            new RoleBindingStrategy("rolebindings", namespaced: true), new RoleBindingStrategy("clusterrolebindings", namespaced: false),
            new PodDisruptionBudgetStrategy(), new PriorityClassStrategy(), new RuntimeClassStrategy(),
            new StorageClassStrategy(), new VolumeAttributesClassStrategy("v1"), new VolumeAttributesClassStrategy("v1beta1"), new CsiDriverStrategy(),
            new CsiNodeStrategy(), new CsiStorageCapacityStrategy(), new VolumeAttachmentStrategy(), new CertificateSigningRequestStrategy(),
            new WebhookStrategy("validatingwebhookconfigurations", mutating: false), new WebhookStrategy("mutatingwebhookconfigurations", mutating: true),
            new CustomResourceDefinitionStrategy(), new AdmissionPolicyStrategy(), new AdmissionPolicyBindingStrategy(),
            .. Versions.SelectMany(static IEnumerable<KindStrategy> (v) => [new MutatingPolicyStrategy(v), new MutatingPolicyBindingStrategy(v)]),
            new ApiServiceStrategy(), new FlowSchemaStrategy(), new PriorityLevelStrategy(),
            .. SameDevices.SelectMany(static IEnumerable<KindStrategy> (v) => [new ResourceClaimStrategy(v), new ResourceClaimTemplateStrategy(v), new DeviceClassStrategy(v), new ResourceSliceStrategy(v)]),
            new DeviceBetaStrategy(new ResourceClaimStrategy("v1"), hasStatus: true), new DeviceBetaStrategy(new ResourceClaimTemplateStrategy("v1")),
            new DeviceBetaStrategy(new DeviceClassStrategy("v1")), new DeviceBetaStrategy(new ResourceSliceStrategy("v1")),
        ];
        var all = known.ToDictionary(s => s.Resource);
        foreach (var resource in ResourceTable.All)
            all.TryAdd(resource, Generic(resource));
        strategies = all.ToFrozenDictionary();
    }

    /// <summary>The strategy of a resource.</summary>
    public IResourceStrategy For(ApiResource resource) => strategies.TryGetValue(resource, out var strategy) ? strategy : Generic(resource);

    private static KindStrategy Generic(ApiResource resource) => new(
        resource,
        hasStatus: resource.Subresources.Any(s => s.Name == "status"),
        generation: Counted.Contains(resource.Plural),
        names: PathSegmentNames.Contains(resource.Plural) ? NameRule.PathSegment : NameRule.Subdomain);
}
