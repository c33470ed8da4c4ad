using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Fragments of pods and what Kubernetes says about them, several errors in its order.</summary>
public class PodValidationTests
{
    private const string One = """{"name":"a","image":"x"}""";
    private readonly KindHarness harness = new();

    [Theory]
    // names and images
    [InlineData("""{"image":"x"}""", "spec.containers[0].name: Required value")]
    [InlineData("""{"name":"a b","image":""}""",
        "[spec.containers[0].name: Invalid value: \"a b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), spec.containers[0].image: Required value]")]
    [InlineData("""{"name":"a","image":" x"}""", "spec.containers[0].image: Invalid value: \" x\": must not have leading or trailing whitespace")]
    [InlineData("""{"name":"a","image":"x","imagePullPolicy":"Maybe"}""", "spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"IfNotPresent\", \"Never\"")]
    [InlineData("""{"name":"a","image":"x","terminationMessagePolicy":"Maybe"}""", "spec.containers[0].terminationMessagePolicy: Unsupported value: \"Maybe\": supported values: \"File\", \"FallbackToLogsOnError\"")]
    // ports
    [InlineData("""{"name":"a","image":"x","ports":[{"name":"p"}]}""", "spec.containers[0].ports[0].containerPort: Required value")]
    [InlineData("""{"name":"a","image":"x","ports":[{"containerPort":1,"name":"1"}]}""", "spec.containers[0].ports[0].name: Invalid value: \"1\": must contain at least one letter (a-z)")]
    [InlineData("""{"name":"a","image":"x","ports":[{"containerPort":1,"name":"p"},{"containerPort":2,"name":"p"}]}""", "spec.containers[0].ports[1].name: Duplicate value: \"p\"")]
    [InlineData("""{"name":"a","image":"x","ports":[{"containerPort":1,"protocol":"HTTP"}]}""", "spec.containers[0].ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\"")]
    [InlineData("""{"name":"a","image":"x","ports":[{"containerPort":1,"hostPort":80},{"containerPort":2,"hostPort":80}]}""", "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//80\"")]
    // environment
    [InlineData("""{"name":"a","image":"x","env":[{"value":"1"}]}""", "spec.containers[0].env[0].name: Required value")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A=B"}]}""", "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","value":"1","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]}""", "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"spec.tolerations"}}}]}""",
        "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.tolerations\": error converting fieldPath: field label not supported: spec.tolerations")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels"}}}]}""",
        "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"metadata.labels\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"limits.disk"}}}]}""",
        "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.disk\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"2"}}}]}""",
        "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource")]
    [InlineData("""{"name":"a","image":"x","env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"c","key":"a/b"}}}]}""",
        "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")]
    [InlineData("""{"name":"a","image":"x","envFrom":[{}]}""", "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`")]
    [InlineData("""{"name":"a","image":"x","envFrom":[{"secretRef":{}}]}""", "spec.containers[0].envFrom[0].secretRef.name: Required value")]
    // mounts
    [InlineData("""{"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a"}]}""", "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique")]
    [InlineData("""{"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/a","subPath":"../b"}]}""", "spec.containers[0].volumeMounts.subPath: Invalid value: \"../b\": must not contain '..'")]
    [InlineData("""{"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"}]}""", "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers")]
    [InlineData("""{"name":"a","image":"x","volumeMounts":[{"name":"v","mountPath":"/a","recursiveReadOnly":"Enabled"}]}""", "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true")]
    [InlineData("""{"name":"a","image":"x","volumeDevices":[{"name":"v","devicePath":"/dev/a"}]}""", "spec.containers[0].volumeDevices[0].name: Invalid value: \"v\": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode")]
    // probes and hooks
    [InlineData("""{"name":"a","image":"x","livenessProbe":{}}""", "spec.containers[0].livenessProbe: Required value: must specify a handler type")]
    [InlineData("""{"name":"a","image":"x","livenessProbe":{"successThreshold":2,"exec":{"command":["x"]}}}""", "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1")]
    [InlineData("""{"name":"a","image":"x","readinessProbe":{"terminationGracePeriodSeconds":3,"tcpSocket":{"port":1}}}""", "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 3: must not be set for readinessProbes")]
    [InlineData("""{"name":"a","image":"x","startupProbe":{"httpGet":{"port":0}}}""", "spec.containers[0].startupProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive")]
    [InlineData("""{"name":"a","image":"x","livenessProbe":{"httpGet":{"port":1,"scheme":"FTP","httpHeaders":[{"name":"a b"}]}}}""",
        "[spec.containers[0].livenessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\", spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid value: \"a b\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')]")]
    [InlineData("""{"name":"a","image":"x","livenessProbe":{"exec":{"command":["x"]},"tcpSocket":{"port":1}}}""", "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type")]
    [InlineData("""{"name":"a","image":"x","lifecycle":{"preStop":{"sleep":{"seconds":31}}}}""", "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)")]
    // resources
    [InlineData("""{"name":"a","image":"x","resources":{"requests":{"disk":"1"}}}""",
        "[spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard resource type or fully qualified, spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard resource for containers]")]
    [InlineData("""{"name":"a","image":"x","resources":{"limits":{"cpu":"-1"},"requests":{"cpu":"-1"}}}""",
        "[spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0, spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0]")]
    [InlineData("""{"name":"a","image":"x","resources":{"requests":{"nvidia.com/gpu":"1"}}}""", "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources")]
    [InlineData("""{"name":"a","image":"x","resources":{"limits":{"nvidia.com/gpu":"1500m"}}}""",
        "[spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: \"1500m\": must be an integer, spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: \"1500m\": must be an integer]")]
    [InlineData("""{"name":"a","image":"x","resources":{"claims":[{"name":"gpu"}]}}""", "spec.containers[0].resources.claims[0]: Not found: \"gpu\": must be one of the names in pod.spec.resourceClaims which is empty")]
    [InlineData("""{"name":"a","image":"x","resizePolicy":[{"resourceName":"disk","restartPolicy":"NotRequired"}]}""", "spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\"")]
    // security
    [InlineData("""{"name":"a","image":"x","securityContext":{"runAsUser":-1}}""", "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 4294967295, inclusive")]
    [InlineData("""{"name":"a","image":"x","securityContext":{"procMount":"Unmasked"}}""", "spec.containers[0].securityContext.procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`")]
    [InlineData("""{"name":"a","image":"x","securityContext":{"seccompProfile":{"type":"Localhost"}}}""", "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost")]
    [InlineData("""{"name":"a","image":"x","securityContext":{"appArmorProfile":{"type":"No"}}}""", "spec.containers[0].securityContext.appArmorProfile.type: Unsupported value: \"No\": supported values: \"Localhost\", \"RuntimeDefault\", \"Unconfined\"")]
    public Task Containers(string container, string message) => Refused("""{"volumes":[{"name":"v","emptyDir":{}}],"containers":[""" + container + "]}", message);

    [Theory]
    [InlineData("""{"name":"v","emptyDir":{"sizeLimit":"-1"}}""", "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity")]
    [InlineData("""{"name":"v","hostPath":{}}""", "spec.volumes[0].hostPath.path: Required value")]
    [InlineData("""{"name":"v","hostPath":{"path":"/x","type":"Disk"}}""",
        "spec.volumes[0].hostPath.type: Unsupported value: \"Disk\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"")]
    [InlineData("""{"name":"v","emptyDir":{},"hostPath":{"path":"/x"}}""", "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type")]
    [InlineData("""{"name":"v","secret":{"defaultMode":512}}""",
        "[spec.volumes[0].secret.secretName: Required value, spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive]")]
    [InlineData("""{"name":"v","configMap":{"name":"c","items":[{"key":"k","path":"../x"}]}}""", "spec.volumes[0].configMap.items[0].path: Invalid value: \"../x\": must not contain '..'")]
    [InlineData("""{"name":"v","configMap":{"name":"c","items":[{"path":"..x"}]}}""",
        "[spec.volumes[0].configMap.items[0].key: Required value, spec.volumes[0].configMap.items[0].path: Invalid value: \"..x\": must not start with '..']")]
    [InlineData("""{"name":"v","nfs":{"server":"s","path":"a"}}""", "spec.volumes[0].nfs.path: Invalid value: \"a\": must be an absolute path")]
    [InlineData("""{"name":"v","persistentVolumeClaim":{}}""", "spec.volumes[0].persistentVolumeClaim.claimName: Required value")]
    [InlineData("""{"name":"v","persistentVolumeClaim":{"claimName":"web-w"}},{"name":"w","ephemeral":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}""",
        "spec.volumes[0].persistentVolumeClaim.claimName: Invalid value: \"web-w\": must not reference a PVC that gets created for an ephemeral volume")]
    [InlineData("""{"name":"v","ephemeral":{}}""", "spec.volumes[0].ephemeral.volumeClaimTemplate: Required value")]
    [InlineData("""{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{"name":"x"},"spec":{"accessModes":["RWO"]}}}}""",
        "[spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set, spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: \"RWO\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\", spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value]")]
    [InlineData("""{"name":"v","downwardAPI":{"items":[{"path":"p"}]}}""", "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required")]
    [InlineData("""{"name":"v","projected":{"sources":[{"secret":{"name":"s"},"configMap":{"name":"c"}}]}}""", "spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source")]
    [InlineData("""{"name":"v","projected":{"sources":[{"secret":{"name":"s","items":[{"key":"a","path":"p"},{"key":"b","path":"p"}]}}]}}""", "spec.volumes[0].projected: Invalid value: \"s\": conflicting duplicate paths")]
    [InlineData("""{"name":"v","csi":{"driver":"A_b"}}""",
        "spec.volumes[0].csi.driver: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")]
    [InlineData("""{"name":"v","iscsi":{"targetPortal":"1.2.3.4","iqn":"x","lun":256}}""",
        "[spec.volumes[0].iscsi.iqn: Invalid value: \"x\": must be valid format starting with iqn, eui, or naa, spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive]")]
    [InlineData("""{"name":"v","gcePersistentDisk":{}}""", "spec.volumes[0].persistentDisk.pdName: Required value")]
    [InlineData("""{"name":"v","rbd":{}}""", "[spec.volumes[0].rbd.monitors: Required value, spec.volumes[0].rbd.image: Required value]")]
    [InlineData("""{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}""", "spec.volumes[1].name: Duplicate value: \"v\"")]
    public Task Volumes(string volumes, string message) => Refused("""{"volumes":[""" + volumes + """],"containers":[""" + One + "]}", message);

    [Theory]
    [InlineData("""{"dnsPolicy":"None","containers":C}""", "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None")]
    [InlineData("""{"dnsConfig":{"nameservers":["1.1.1.1","1.1.1.2","1.1.1.3","x"]},"containers":C}""",
        "[spec.dnsConfig.nameservers: Invalid value: [\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"x\"]: must not have more than 3 nameservers, spec.dnsConfig.nameservers[3]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)]")]
    [InlineData("""{"hostAliases":[{"ip":"1.2.3","hostnames":["A"]}],"containers":C}""",
        "[spec.hostAliases[0].ip: Invalid value: \"1.2.3\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), spec.hostAliases[0].hostnames[0]: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')]")]
    [InlineData("""{"tolerations":[{"value":"x"}],"containers":C}""", "spec.tolerations[0].operator: Invalid value: \"\": operator must be Exists when `key` is empty, which means \"match all values and all keys\"")]
    [InlineData("""{"tolerations":[{"key":"a","operator":"Exists","value":"x","effect":"Never"}],"containers":C}""",
        "[spec.tolerations[0].operator: Invalid value: \"x\": value must be empty when `operator` is 'Exists', spec.tolerations[0].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"]")]
    [InlineData("""{"tolerations":[{"key":"a","operator":"Exists","tolerationSeconds":3}],"containers":C}""", "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set")]
    [InlineData("""{"topologySpreadConstraints":[{"maxSkew":0,"whenUnsatisfiable":"Never"}],"containers":C}""",
        "[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty, spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Never\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"]")]
    [InlineData("""{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule"},{"maxSkew":2,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule"}],"containers":C}""",
        "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, DoNotSchedule}\"")]
    [InlineData("""{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","minDomains":2}],"containers":C}""",
        "spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway")]
    [InlineData("""{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[]}}},"containers":C}""",
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term")]
    [InlineData("""{"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":101,"preference":{"matchExpressions":[{"key":"a","operator":"Gt"}]}}]}},"containers":C}""",
        "[spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100, spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt']")]
    [InlineData("""{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchExpressions":[{"key":"a","operator":"In"}]},"topologyKey":"z"}]}},"containers":C}""",
        "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'")]
    [InlineData("""{"schedulingGates":[{"name":"a"},{"name":"a"}],"nodeName":"n","containers":C}""", "[spec.schedulingGates[1]: Duplicate value: \"a\", spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared]")]
    [InlineData("""{"activeDeadlineSeconds":0,"hostname":"a.b","containers":C}""",
        "[spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive, spec.hostname: Invalid value: \"a.b\": must not contain dots]")]
    [InlineData("""{"hostUsers":false,"hostNetwork":true,"hostPID":true,"containers":C}""", "[spec.hostNetwork: Forbidden: when `hostUsers` is false, spec.HostPID: Forbidden: when `hostUsers` is false]")]
    [InlineData("""{"securityContext":{"sysctls":[{"name":"A"},{"name":""}]},"containers":C}""",
        "[spec.securityContext.sysctls[0].name: Invalid value: \"A\": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$, spec.securityContext.sysctls[1].name: Required value]")]
    [InlineData("""{"os":{"name":"windows"},"securityContext":{"runAsUser":1},"containers":C}""", "spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod")]
    [InlineData("""{"os":{"name":"bsd"},"containers":C}""", "spec.os: Unsupported value: \"bsd\": supported values: \"linux\", \"windows\"")]
    [InlineData("""{"preemptionPolicy":"Sometimes","containers":C}""", "spec.preemptionPolicy: Unsupported value: \"Sometimes\": supported values: \"PreemptLowerPriority\", \"Never\"")]
    [InlineData("""{"initContainers":[{"name":"a","image":"x","livenessProbe":{"exec":{"command":["x"]}}}],"containers":C}""",
        "[spec.initContainers[0].name: Duplicate value: \"a\", spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always]")]
    [InlineData("""{"ephemeralContainers":[{"name":"d","image":"x"}],"containers":C}""", "spec.ephemeralContainers: Forbidden: cannot be set on create")]
    [InlineData("""{"resources":{"requests":{"cpu":"1"}},"containers":[{"name":"a","image":"x","resources":{"requests":{"cpu":"2"}}}]}""",
        "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container requests of 2")]
    [InlineData("""{"resourceClaims":[{"name":"c"}],"containers":C}""", "spec.resourceClaims[0]: Invalid value: {\"name\":\"c\"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]
    public Task Specs(string spec, string message) => Refused(spec.Replace(":C}", ":[" + One + "]}"), message);

    [Theory]
    [InlineData("""{"containers":[{"name":"a","image":"x:1"}],"activeDeadlineSeconds":5}""", """{"containers":[{"name":"a","image":"x:1"}],"activeDeadlineSeconds":6}""",
        "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value")]
    [InlineData("""{"containers":[{"name":"a","image":"x:1"}]}""", """{"containers":[{"name":"a","image":"x:1"},{"name":"b","image":"x:1"}]}""", "spec.containers: Forbidden: pod updates may not add or remove containers")]
    [InlineData("""{"containers":[{"name":"a","image":"x:1"}],"tolerations":[{"key":"a","operator":"Exists"}]}""", """{"containers":[{"name":"a","image":"x:1"}],"tolerations":[{"key":"b","operator":"Exists"}]}""",
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds")]
    [InlineData("""{"containers":[{"name":"a","image":"x:1"}],"schedulingGates":[{"name":"a"}]}""", """{"containers":[{"name":"a","image":"x:1"}],"schedulingGates":[{"name":"b"}]}""",
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'")]
    [InlineData("""{"containers":[{"name":"a","image":"x:1"}],"schedulingGates":[{"name":"a"}],"nodeSelector":{"a":"b"}}""", """{"containers":[{"name":"a","image":"x:1"}],"schedulingGates":[{"name":"a"}],"nodeSelector":{"a":"c"}}""",
        "spec.nodeSelector: Invalid value: {\"a\":\"c\"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)")]
    public async Task Updates(string was, string now, string message)
    {
        var old = await harness.CreateAsync("", "pods", Pod(was));
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.UpdateAsync("", "pods", Pod(now), old));
        Assert.Equal("Pod \"web\" is invalid: " + message, error.Message);
    }

    [Fact]
    public async Task Gated_pods_may_be_told_more_about_where_they_run()
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"containers":[{"name":"a","image":"x:1"}],"schedulingGates":[{"name":"a"}],"nodeSelector":{"a":"b"}}"""));
        var next = await harness.UpdateAsync("", "pods", Pod("""
            {"containers":[{"name":"a","image":"x:1"}],"nodeSelector":{"a":"b","c":"d"},
             "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"z","operator":"Exists"}]}]}}}}
            """), old);
        Assert.Equal("d", next.Obj("spec", "nodeSelector").Str("c"));
    }

    [Theory]
    [InlineData("""{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}""", null)]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Gi"}}""", "spec: Invalid value: \"Burstable\": Pod QOS Class may not change as a result of resizing")]
    [InlineData("""{"limits":{"memory":"1Gi"},"requests":{"cpu":"500m","memory":"1Gi"}}""", "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed")]
    [InlineData("""{"limits":{"cpu":"1","memory":"1Gi","ephemeral-storage":"1Gi"},"requests":{"cpu":"500m","memory":"1Gi"}}""", "spec: Forbidden: only cpu and memory resources are mutable")]
    public async Task Resizes(string resources, string? message)
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"containers":[{"name":"a","image":"x:1","resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}}}]}"""));
        var next = (JsonObject)old.DeepClone();
        next.Obj("spec").Items("containers").Single().Item["resources"] = JsonNode.Parse(resources);
        Assert.Equal(message, harness.SubresourceErrors("", "pods", "resize", next, old).FirstOrDefault()?.ToString());
    }

    [Fact]
    public async Task Ephemeral_containers_come_and_stay()
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"containers":[{"name":"a","image":"x:1"}]}"""));
        var next = (JsonObject)old.DeepClone();
        next["spec"]!["ephemeralContainers"] = JsonNode.Parse("""[{"name":"d","image":"x","targetContainerName":"z","ports":[{"containerPort":1}]}]""");
        Assert.Equal(
            ["spec.ephemeralContainers[0].targetContainerName: Not found: \"z\"", "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container"],
            harness.SubresourceErrors("", "pods", "ephemeralcontainers", next, old).Select(e => e.ToString()));
        next["spec"]!["ephemeralContainers"] = JsonNode.Parse("""[{"name":"d","image":"x"}]""");
        Assert.Empty(harness.SubresourceErrors("", "pods", "ephemeralcontainers", next, old));
        var changed = (JsonObject)next.DeepClone();
        changed["spec"]!["ephemeralContainers"]![0]!["image"] = "y";
        Assert.Equal("spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be changed\n", harness.SubresourceErrors("", "pods", "ephemeralcontainers", changed, next).Single().ToString());
    }

    [Fact]
    public async Task What_ended_stays_ended()
    {
        var old = await harness.CreateAsync("", "pods", Pod("""{"restartPolicy":"Never","containers":[{"name":"a","image":"x:1"}]}"""));
        old["status"]!["containerStatuses"] = JsonNode.Parse("""[{"name":"a","state":{"terminated":{"exitCode":0}}}]""");
        var next = (JsonObject)old.DeepClone();
        next["status"]!["containerStatuses"]![0]!["state"] = JsonNode.Parse("""{"running":{}}""");
        next["status"]!["podIPs"] = JsonNode.Parse("""[{"ip":"1.2.3.4"},{"ip":"1.2.3.5"}]""");
        Assert.Equal(
            ["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state",
             "status.podIPs: Invalid value: [{\"ip\":\"1.2.3.4\"},{\"ip\":\"1.2.3.5\"}]: may specify no more than one IP for each IP family"],
            harness.SubresourceErrors("", "pods", "status", next, old).Select(e => e.ToString()));
    }

    private async Task Refused(string spec, string message)
    {
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.CreateAsync("", "pods", Pod(spec)));
        Assert.Equal("Pod \"web\" is invalid: " + message, error.Message);
    }

    private static JsonObject Pod(string spec) => KindHarness.Json($$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"},"spec":{{{spec}}}}""");
}
