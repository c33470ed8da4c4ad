using System.Collections.Frozen;

namespace Mesh.Gateway.OpenApi;

/// <summary>
/// The values of fields that take one of a few, as OpenAPI names them and <c>kubectl explain</c> prints them under ENUM. Which words are
/// refused is the validation's business; here are only those that a client may choose from.
/// </summary>
internal static class FieldEnums
{
    private const string Table = """
        core.v1.Container imagePullPolicy Always IfNotPresent Never
        core.v1.Container terminationMessagePolicy FallbackToLogsOnError File
        core.v1.EphemeralContainer imagePullPolicy Always IfNotPresent Never
        core.v1.EphemeralContainer terminationMessagePolicy FallbackToLogsOnError File
        core.v1.ContainerPort protocol SCTP TCP UDP
        core.v1.ServicePort protocol SCTP TCP UDP
        core.v1.EndpointPort protocol SCTP TCP UDP
        core.v1.PortStatus protocol SCTP TCP UDP
        core.v1.ServiceSpec type ClusterIP ExternalName LoadBalancer NodePort
        core.v1.ServiceSpec sessionAffinity ClientIP None
        core.v1.ServiceSpec externalTrafficPolicy Cluster Local
        core.v1.ServiceSpec internalTrafficPolicy Cluster Local
        core.v1.ServiceSpec ipFamilyPolicy PreferDualStack RequireDualStack SingleStack
        core.v1.PodSpec restartPolicy Always Never OnFailure
        core.v1.PodSpec dnsPolicy ClusterFirst ClusterFirstWithHostNet Default None
        core.v1.PodSpec preemptionPolicy Never PreemptLowerPriority
        core.v1.PodStatus phase Failed Pending Running Succeeded Unknown
        core.v1.PodStatus qosClass BestEffort Burstable Guaranteed
        core.v1.PodSecurityContext fsGroupChangePolicy Always OnRootMismatch
        core.v1.PodSecurityContext supplementalGroupsPolicy Merge Strict
        core.v1.SecurityContext procMount Default Unmasked
        core.v1.SeccompProfile type Localhost RuntimeDefault Unconfined
        core.v1.AppArmorProfile type Localhost RuntimeDefault Unconfined
        core.v1.HTTPGetAction scheme HTTP HTTPS
        core.v1.Toleration effect NoExecute NoSchedule PreferNoSchedule
        core.v1.Toleration operator Equal Exists Gt Lt
        core.v1.Taint effect NoExecute NoSchedule PreferNoSchedule
        core.v1.NodeSelectorRequirement operator DoesNotExist Exists Gt In Lt NotIn
        core.v1.TopologySpreadConstraint whenUnsatisfiable DoNotSchedule ScheduleAnyway
        core.v1.TopologySpreadConstraint nodeAffinityPolicy Honor Ignore
        core.v1.TopologySpreadConstraint nodeTaintsPolicy Honor Ignore
        core.v1.PersistentVolumeSpec volumeMode Block Filesystem
        core.v1.PersistentVolumeSpec persistentVolumeReclaimPolicy Delete Recycle Retain
        core.v1.PersistentVolumeStatus phase Available Bound Failed Pending Released
        core.v1.PersistentVolumeClaimSpec volumeMode Block Filesystem
        core.v1.PersistentVolumeClaimStatus phase Bound Lost Pending
        core.v1.NamespaceStatus phase Active Terminating
        core.v1.NodeStatus phase Pending Running Terminated
        core.v1.ScopedResourceSelectorRequirement operator DoesNotExist Exists In NotIn
        core.v1.ScopedResourceSelectorRequirement scopeName BestEffort CrossNamespacePodAffinity NotBestEffort NotTerminating PriorityClass Terminating VolumeAttributesClass
        apps.v1.DeploymentStrategy type Recreate RollingUpdate
        apps.v1.DaemonSetUpdateStrategy type OnDelete RollingUpdate
        apps.v1.StatefulSetUpdateStrategy type OnDelete RollingUpdate
        apps.v1.StatefulSetSpec podManagementPolicy OrderedReady Parallel
        batch.v1.CronJobSpec concurrencyPolicy Allow Forbid Replace
        batch.v1.JobSpec completionMode Indexed NonIndexed
        batch.v1.JobSpec podReplacementPolicy Failed TerminatingOrFailed
        batch.v1.PodFailurePolicyRule action Count FailIndex FailJob Ignore
        batch.v1.PodFailurePolicyOnExitCodesRequirement operator In NotIn
        networking.v1.HTTPIngressPath pathType Exact ImplementationSpecific Prefix
        networking.v1.NetworkPolicyPort protocol SCTP TCP UDP
        policy.v1.PodDisruptionBudgetSpec unhealthyPodEvictionPolicy AlwaysAllow IfHealthyBudget
        scheduling.v1.PriorityClass preemptionPolicy Never PreemptLowerPriority
        storage.v1.StorageClass reclaimPolicy Delete Recycle Retain
        storage.v1.StorageClass volumeBindingMode Immediate WaitForFirstConsumer
        discovery.v1.EndpointSlice addressType FQDN IPv4 IPv6
        discovery.v1.EndpointPort protocol SCTP TCP UDP
        admissionregistration.v1.RuleWithOperations scope * Cluster Namespaced
        admissionregistration.v1.MutatingWebhook reinvocationPolicy IfNeeded Never
        admissionregistration.v1.MutatingWebhook failurePolicy Fail Ignore
        admissionregistration.v1.MutatingWebhook matchPolicy Equivalent Exact
        admissionregistration.v1.MutatingWebhook sideEffects None NoneOnDryRun Some Unknown
        admissionregistration.v1.ValidatingWebhook failurePolicy Fail Ignore
        admissionregistration.v1.ValidatingWebhook matchPolicy Equivalent Exact
        admissionregistration.v1.ValidatingWebhook sideEffects None NoneOnDryRun Some Unknown
        """;

    private static readonly FrozenDictionary<(string Type, string Field), string[]> Known = Table.Split('\n').Select(static l => l.Split(' '))
        .ToFrozenDictionary(static l => (l[0], l[1]), static l => l[2..]);

    /// <summary>The values of a field, sorted; null when it takes any. type: its package's last parts and its name, "core.v1.Container".</summary>
    public static string[]? Of(string type, string field) => Known.GetValueOrDefault((type, field));

    /// <summary>All fields of the table, for the test that each is one of the schema's.</summary>
    internal static IEnumerable<(string Type, string Field)> All => Known.Keys;
}
