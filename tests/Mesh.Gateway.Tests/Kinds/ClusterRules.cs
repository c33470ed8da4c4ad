namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Storage, nodes, quotas, limits, budgets, classes, roles.</summary>
public class ClusterRules : KindRules
{
    [Theory]
    [InlineData("persistentvolumes", """{"spec":{}}""",
        "[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: \"storage\", spec: Required value: must specify a volume type]")]
    [InlineData("persistentvolumes", """{"spec":{"accessModes":["ReadWriteOnce","ReadWriteOncePod"],"capacity":{"storage":"0"},"local":{"path":"/x"}}}""",
        "[spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes, spec.capacity[storage]: Invalid value: \"0\": must be greater than zero, spec.nodeAffinity: Required value: Local volume requires node affinity]")]
    [InlineData("persistentvolumes", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/"},"persistentVolumeReclaimPolicy":"Recycle"}}""",
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'")]
    [InlineData("persistentvolumes", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"csi":{"driver":"d","nodeStageSecretRef":{},"nodePublishSecretRef":{"name":"s"}}}}""",
        "[spec.csi.volumeHandle: Required value, spec.csi.nodePublishSecretRef.namespace: Required value]")]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":[]}}""", "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]")]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"0"}},"dataSource":{"kind":"VolumeSnapshot","name":"s"}}}""",
        "spec.resources[storage]: Invalid value: \"0\": must be greater than zero")]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1"}},"dataSourceRef":{"kind":"VolumeSnapshot","name":"s"}}}""",
        "[spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup, spec.dataSourceRef: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup]")]
    [InlineData("storage.k8s.io/storageclasses", """{"volumeBindingMode":"Later"}""",
        "[provisioner: Required value, volumeBindingMode: Unsupported value: \"Later\": supported values: \"Immediate\", \"WaitForFirstConsumer\"]")]
    [InlineData("storage.k8s.io/volumeattributesclasses", """{"driverName":"d"}""", "parameters: Required value: must contain at least one key/value pair")]
    [InlineData("storage.k8s.io/csidrivers", """{"spec":{"fsGroupPolicy":"All","volumeLifecycleModes":["Once"],"tokenRequests":[{"audience":"a","expirationSeconds":5},{"audience":"a"}]}}""",
        "[spec.fsGroupPolicy: Unsupported value: \"All\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\", spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes, spec.tokenRequests[1].audience: Duplicate value: \"a\", spec.volumeLifecycleModes: Unsupported value: \"Once\": supported values: \"Persistent\", \"Ephemeral\"]")]
    [InlineData("storage.k8s.io/csinodes", """{"spec":{"drivers":[{"name":"d"},{"name":"d","nodeID":"n","allocatable":{"count":-1}}]}}""",
        "[spec.drivers[0].nodeID: Required value, spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0, spec.drivers[1].name: Duplicate value: \"d\"]")]
    [InlineData("storage.k8s.io/volumeattachments", """{"spec":{"attacher":"d","nodeName":"n","source":{}}}""", "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName")]
    [InlineData("nodes", """{"spec":{"taints":[{"key":"a","effect":"NoSchedule"},{"key":"a","value":"b","effect":"NoSchedule"},{"key":"c","effect":"Never"}]}}""",
        "[metadata.taints[1]: Duplicate value: {\"Key\":\"a\",\"Value\":\"b\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: taints must be unique by key and effect pair, metadata.taints[2].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"]")]
    [InlineData("storage.k8s.io/storageclasses", """{"provisioner":"p","allowedTopologies":[{"matchLabelExpressions":[{"key":"k","values":["a","b"]}]},{"matchLabelExpressions":[{"key":"k","values":["b","a"]}]}]}""",
        "allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\"")]
    [InlineData("storage.k8s.io/storageclasses", """{"provisioner":"p","volumeBindingMode":""}""", "volumeBindingMode: Unsupported value: \"\": supported values: \"Immediate\", \"WaitForFirstConsumer\"")]
    [InlineData("node.k8s.io/runtimeclasses", """{"handler":"h","scheduling":{"tolerations":[{"key":"k","operator":"Exists"},{"key":"k","operator":"Exists"}]}}""",
        "scheduling.tolerations[1]: Duplicate value: {\"key\":\"k\",\"operator\":\"Exists\"}")]
    [InlineData("events.k8s.io/events", """{"regarding":{"kind":"Pod","namespace":"d"},"eventTime":"2026-01-01T00:00:00Z","reason":"R","action":"A","reportingController":"a b","reportingInstance":"i","type":"Odd","deprecatedCount":2}""",
        "[reportingController: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), type: Invalid value: \"\": has invalid value: Odd, count: Invalid value: \"\": needs to be unset]")]
    [InlineData("events", """{"metadata":{"name":"a"},"involvedObject":{"kind":"Pod","namespace":"other"}}""", "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace")]
    [InlineData("limitranges", """{"metadata":{"name":null},"spec":{"limits":[]}}""", "")]
    [InlineData("nodes", """{"spec":{"podCIDR":"10.0.0.300/24"}}""", "spec.podCIDRs[0]: Invalid value: \"10.0.0.300/24\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    [InlineData("nodes", """{"spec":{"podCIDRs":["10.0.0.0/24","10.0.1.0/24"]}}""", "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than one CIDR for each IP family")]
    [InlineData("namespaces", """{"spec":{"finalizers":["mine"]}}""", "spec.finalizers: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully qualified")]
    [InlineData("resourcequotas", """{"spec":{"hard":{"disk":"1","pods":"1.5"}}}""",
        "[spec.hard[disk]: Invalid value: \"disk\": must be a standard resource type or fully qualified, spec.hard[disk]: Invalid value: \"disk\": must be a standard resource for quota, spec.hard[pods]: Invalid value: \"1500m\": must be an integer]")]
    [InlineData("resourcequotas", """{"spec":{"hard":{"services":"1"},"scopes":["BestEffort","NotBestEffort","Some"]}}""",
        "[spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\",\"Some\"]: unsupported scope applied to resource, spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\",\"Some\"]: unsupported scope, spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\",\"Some\"]: conflicting scopes]")]
    [InlineData("resourcequotas", """{"spec":{"hard":{"pods":"1"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In"}]}}}""",
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")]
    [InlineData("limitranges", """{"spec":{"limits":[{"type":"Container","max":{"cpu":"1"},"min":{"cpu":"2"}}]}}""",
        "[spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1, spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value 1, spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1]")]
    [InlineData("limitranges", """{"spec":{"limits":[{"type":"Pod","default":{"cpu":"1"}},{"type":"Pod"},{"type":"Disk"},{"type":"PersistentVolumeClaim"}]}}""",
        "[spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod', spec.limits[1].type: Duplicate value: \"Pod\", spec.limits[2].type: Invalid value: \"Disk\": must be a standard limit type or fully qualified, spec.limits[3].limits: Required value: either minimum or maximum storage value is required, but neither was provided]")]
    [InlineData("limitranges", """{"spec":{"limits":[{"type":"Pod","max":{"cpu":"2"},"min":{"cpu":"1"},"maxLimitRequestRatio":{"cpu":"3"}}]}}""",
        "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than max/min = 2.000000")]
    [InlineData("policy/poddisruptionbudgets", """{"spec":{"minAvailable":-1,"selector":{"matchExpressions":[{"key":"a","operator":"Like"}]},"unhealthyPodEvictionPolicy":"Never"}}""",
        "[spec.minAvailable: Invalid value: -1: must be greater than or equal to 0, spec.selector.matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator, spec.unhealthyPodEvictionPolicy: Unsupported value: \"Never\": supported values: \"AlwaysAllow\", \"IfHealthyBudget\"]")]
    [InlineData("policy/poddisruptionbudgets", """{"spec":{"maxUnavailable":"101%"}}""", "spec.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%")]
    [InlineData("scheduling.k8s.io/priorityclasses", """{"metadata":{"name":"system-mine"},"value":1}""",
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class")]
    [InlineData("scheduling.k8s.io/priorityclasses", """{"value":1000000001}""", "value: Forbidden: maximum allowed value of a user defined priority is 1000000000")]
    [InlineData("node.k8s.io/runtimeclasses", """{"handler":"a.b","overhead":{"podFixed":{"disk":"1"}}}""",
        "[handler: Invalid value: \"a.b\": must not contain dots, overhead.limits[disk]: Invalid value: \"disk\": must be a standard resource type or fully qualified, overhead.limits[disk]: Invalid value: \"disk\": must be a standard resource for containers]")]
    [InlineData("rbac.authorization.k8s.io/roles", """{"rules":[{},{"verbs":["get"],"nonResourceURLs":["/"],"resources":["pods"]}]}""",
        "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must supply at least one resource, rules[1].nonResourceURLs: Invalid value: [\"/\"]: namespaced rules cannot apply to non-resource URLs, rules[1].nonResourceURLs: Invalid value: [\"/\"]: rules cannot apply to both regular resources and non-resource URLs]")]
    [InlineData("rbac.authorization.k8s.io/clusterroles", """{"aggregationRule":{}}""", "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil")]
    [InlineData("rbac.authorization.k8s.io/clusterrolebindings", """{"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"ServiceAccount","name":"s"},{"kind":"Robot","name":"x"}]}""",
        "[roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\", subjects[0].namespace: Required value, subjects[1].kind: Unsupported value: \"Robot\": supported values: \"ServiceAccount\", \"User\", \"Group\"]")]
    [InlineData("coordination.k8s.io/leases", """{"spec":{"leaseDurationSeconds":0,"leaseTransitions":-1,"preferredHolder":"x"}}""",
        "[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0, spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined]")]
    public async Task Creates(string kind, string json, string message) => Assert.Equal(message, await Create(kind, json));

    [Theory]
    [InlineData("persistentvolumes", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/a"}}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"hostPath":{"path":"/b"},"volumeMode":"Block"}}""",
        "[spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation, volumeMode: Invalid value: \"Block\": field is immutable]")]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}}}}""",
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")]
    [InlineData("persistentvolumeclaims", """{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""", """{"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"c","volumeName":"v","resources":{"requests":{"storage":"1Gi"}}}}""", "")]
    [InlineData("storage.k8s.io/storageclasses", """{"provisioner":"a.io/b"}""", """{"provisioner":"a.io/c","reclaimPolicy":"Retain"}""",
        "[provisioner: Forbidden: updates to provisioner are forbidden., reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.]")]
    [InlineData("storage.k8s.io/volumeattachments", """{"spec":{"attacher":"d","nodeName":"n","source":{"persistentVolumeName":"v"}}}""", """{"spec":{"attacher":"d","nodeName":"m","source":{"persistentVolumeName":"v"}}}""",
        "spec: Invalid value: {\"attacher\":\"d\",\"nodeName\":\"m\",\"source\":{\"persistentVolumeName\":\"v\"}}: field is immutable")]
    [InlineData("nodes", """{"spec":{"podCIDR":"10.0.0.0/24","providerID":"a"}}""", """{"spec":{"podCIDR":"10.0.1.0/24","providerID":"b"}}""",
        "[spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid, spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid]")]
    [InlineData("scheduling.k8s.io/priorityclasses", """{"value":1}""", """{"value":2}""", "value: Forbidden: may not be changed in an update.")]
    [InlineData("node.k8s.io/runtimeclasses", """{"handler":"a"}""", """{"handler":"b"}""", "handler: Invalid value: \"b\": field is immutable")]
    [InlineData("rbac.authorization.k8s.io/rolebindings", """{"roleRef":{"kind":"Role","name":"r"}}""", """{"roleRef":{"kind":"Role","name":"s"}}""",
        "roleRef: Invalid value: {\"kind\":\"Role\",\"name\":\"s\",\"apiGroup\":\"rbac.authorization.k8s.io\"}: cannot change roleRef")]
    [InlineData("resourcequotas", """{"spec":{"hard":{"pods":"1"},"scopes":["BestEffort"]}}""", """{"spec":{"hard":{"pods":"1"}}}""", "spec.scopes: Invalid value: null: field is immutable")]
    [InlineData("secrets", """{"type":"a"}""", """{"type":"b"}""", "type: Invalid value: \"b\": field is immutable")]
    public async Task Updates(string kind, string was, string now, string message) => Assert.Equal(message, await Update(kind, was, now));
}
