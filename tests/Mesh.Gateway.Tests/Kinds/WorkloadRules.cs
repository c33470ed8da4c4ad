using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Workloads;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>Workloads: what their specs may say and what may change.</summary>
public class WorkloadRules : KindRules
{
    private const string Labels = """{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"a","image":"x:1"}]}}""";
    private const string Never = """{"metadata":{"labels":{"app":"a"}},"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"x:1"}]}}""";
    private const string Selected = "\"selector\":{\"matchLabels\":{\"app\":\"a\"}},\"template\":" + Labels;

    [Theory]
    [InlineData("apps/deployments", """{"spec":{"template":T}}""", "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`]")]
    [InlineData("apps/replicasets", """{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"In"}]},"template":T}}""",
        "[spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\"}]}: invalid label selector]")]
    [InlineData("apps/statefulsets", """{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"Is"}]},"template":T}}""",
        "[spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator, spec.selector: Invalid value: {\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Is\"}]}]")]
    [InlineData("apps/daemonsets", """{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"Is"}]},"template":T}}""",
        "spec.selector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid selector operator")]
    [InlineData("apps/deployments", """{"spec":{"selector":{},"template":T}}""", "spec.selector: Invalid value: {}: empty selector is invalid for deployment")]
    [InlineData("apps/deployments", """{"spec":{S,"strategy":{"type":"Fast"}}}""", "spec.strategy.type: Unsupported value: \"Fast\": supported values: \"Recreate\", \"RollingUpdate\"")]
    [InlineData("apps/deployments", """{"spec":{S,"strategy":{"type":"Recreate","rollingUpdate":{"maxSurge":1}}}}""", "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'")]
    [InlineData("apps/deployments", """{"spec":{S,"strategy":{"rollingUpdate":{"maxUnavailable":"200%","maxSurge":"x"}}}}""",
        "[spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%'), spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"200%\": must not be greater than 100%]")]
    [InlineData("apps/deployments", """{"spec":{S,"progressDeadlineSeconds":5,"minReadySeconds":5}}""", "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds")]
    [InlineData("apps/deployments", """{"spec":{"selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"restartPolicy":"Never","activeDeadlineSeconds":3,"containers":[{"name":"a"}]}}}}""",
        "[spec.template.spec.containers[0].image: Required value, spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\", spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported]")]
    [InlineData("apps/deployments", """{"spec":{"selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a","b c":"d"}},"spec":{"containers":[{"name":"a","image":"x"}]}}}}""",
        "spec.template.labels: Invalid value: \"b c\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")]
    [InlineData("apps/replicasets", """{"spec":{S,"minReadySeconds":-1}}""", "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("apps/daemonsets", """{"spec":{"template":T}}""", "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`")]
    [InlineData("apps/daemonsets", """{"spec":{S,"updateStrategy":{"rollingUpdate":{"maxUnavailable":0}}}}""", "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0")]
    [InlineData("apps/daemonsets", """{"spec":{S,"updateStrategy":{"rollingUpdate":{"maxSurge":1}}}}""", "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero")]
    [InlineData("apps/statefulsets", """{"spec":{S,"podManagementPolicy":"Wild"}}""", "spec.podManagementPolicy: Invalid value: \"Wild\": must be 'OrderedReady' or 'Parallel'")]
    [InlineData("apps/statefulsets", """{"spec":{S,"updateStrategy":{"type":"Fast"}}}""", "spec.updateStrategy: Invalid value: {\"type\":\"Fast\"}: must be 'RollingUpdate' or 'OnDelete'")]
    [InlineData("apps/statefulsets", """{"spec":{S,"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Keep"}}}""", "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": supported values: \"Retain\", \"Delete\"")]
    [InlineData("apps/statefulsets", """{"spec":{S,"ordinals":{"start":-1}}}""", "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("apps/statefulsets",
        """{"spec":{"selector":{"matchLabels":{"app":"a"}},"volumeClaimTemplates":[{"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}],"template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"a","image":"x","volumeMounts":[{"name":"d","mountPath":"/d"}]}]}}}}""", "")]
    [InlineData("replicationcontrollers", """{"spec":{"replicas":-1}}""",
        "[spec.selector: Required value, spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.template: Required value]")]
    [InlineData("podtemplates", """{"template":{"spec":{"containers":[]}}}""", "template.spec.containers: Required value")]
    [InlineData("apps/controllerrevisions", """{"revision":-1}""", "[data: Required value: data is mandatory, revision: Invalid value: -1: must be greater than or equal to 0]")]
    public async Task Sets(string kind, string json, string message) => Assert.Equal(message, await Create(kind, Fill(json)));

    [Theory]
    [InlineData("""{"spec":{"template":T}}""", "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"")]
    [InlineData("""{"spec":{"parallelism":-1,"backoffLimit":-2,"template":N}}""",
        "[spec.parallelism: Invalid value: -1: must be greater than or equal to 0, spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0]")]
    [InlineData("""{"spec":{"completionMode":"Indexed","parallelism":2,"template":N}}""", "spec.completions: Required value: when completion mode is Indexed")]
    [InlineData("""{"spec":{"completionMode":"Some","template":N}}""", "spec.completionMode: Unsupported value: \"Some\": supported values: \"NonIndexed\", \"Indexed\"")]
    [InlineData("""{"spec":{"backoffLimitPerIndex":1,"template":N}}""", "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode")]
    [InlineData("""{"spec":{"completionMode":"Indexed","completions":2,"maxFailedIndexes":3,"template":N}}""",
        "[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions]")]
    [InlineData("""{"spec":{"podReplacementPolicy":"Never","template":N}}""", "spec.podReplacementPolicy: Unsupported value: \"Never\": supported values: \"Failed\", \"TerminatingOrFailed\"")]
    [InlineData("""{"spec":{"podFailurePolicy":{"rules":[{"action":"Ignore"}]},"template":N}}""",
        "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required")]
    [InlineData("""{"spec":{"podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"containerName":"b","operator":"In","values":[2,0]}}]},"template":N}}""",
        "[spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set, spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"b\": must be one of the container or initContainer names in the pod template, spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator, spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0]: must be ordered]")]
    [InlineData("""{"spec":{"podFailurePolicy":{"rules":[{"action":"Stop","onPodConditions":[{"type":"DisruptionTarget","status":"Maybe"}]}]},"template":N}}""",
        "[spec.podFailurePolicy.rules[0].action: Unsupported value: \"Stop\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\", spec.podFailurePolicy.rules[0].onPodConditions[0].status: Unsupported value: \"Maybe\": supported values: \"False\", \"True\", \"Unknown\"]")]
    [InlineData("""{"spec":{"selector":{"matchLabels":{"x":"y"}},"template":N}}""",
        "[spec.selector: Invalid value: {\"matchLabels\":{\"x\":\"y\",\"batch.kubernetes.io/controller-uid\":\"u1\"}}: `selector` not auto-generated, spec.template.metadata.labels: Invalid value: {\"app\":\"a\",\"batch.kubernetes.io/controller-uid\":\"u1\",\"batch.kubernetes.io/job-name\":\"a\",\"controller-uid\":\"u1\",\"job-name\":\"a\"}: `selector` does not match template `labels`]")]
    [InlineData("""{"spec":{"manualSelector":true,"template":N}}""", "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`]")]
    [InlineData("""{"spec":{"completionMode":"Indexed","completions":2,"successPolicy":{"rules":[{}]},"template":N}}""", "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified")]
    [InlineData("""{"spec":{"managedBy":"x","template":N}}""", "spec.managedBy: Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")")]
    public async Task Jobs(string json, string message) => Assert.Equal(message, await Create("batch/jobs", Fill(json)));

    [Theory]
    [InlineData("""{"spec":{"template":N}}""", """{"spec":{"completions":2,"parallelism":1,"template":N}}""", "spec.completions: Invalid value: 2: field is immutable")]
    [InlineData("""{"spec":{"completionMode":"Indexed","completions":2,"parallelism":2,"template":N}}""", """{"spec":{"completionMode":"Indexed","completions":3,"parallelism":2,"template":N}}""",
        "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism")]
    [InlineData("""{"spec":{"completionMode":"Indexed","completions":2,"parallelism":2,"template":N}}""", """{"spec":{"completionMode":"Indexed","completions":3,"parallelism":3,"template":N}}""", "")]
    public async Task Job_updates(string was, string now, string message)
    {
        // What the server made is written back, as a client that changes what it read does.
        var made = "\"selector\":{\"matchLabels\":{\"batch.kubernetes.io/controller-uid\":\"u1\"}},\"template\":"
            + Never.Replace("{\"app\":\"a\"}", """{"app":"a","batch.kubernetes.io/controller-uid":"u1","batch.kubernetes.io/job-name":"a","controller-uid":"u1","job-name":"a"}""");
        Assert.Equal(message, await Update("batch/jobs", Fill(was), now.Replace("\"template\":N", made)));
    }

    [Theory]
    [InlineData("""{"spec":{"schedule":"x","jobTemplate":J}}""", "spec.schedule: Invalid value: \"x\": expected exactly 5 fields, found 1: [x]")]
    [InlineData("""{"spec":{"schedule":"TZ=UTC * * * * *","timeZone":"Mars/Base","jobTemplate":J}}""",
        "[spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead, spec.timeZone: Invalid value: \"Mars/Base\": unknown time zone Mars/Base]")]
    [InlineData("""{"spec":{"schedule":"* * * * *","timeZone":"Local","jobTemplate":J}}""", "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")]
    [InlineData("""{"spec":{"schedule":"* * * * *","concurrencyPolicy":"Wild","jobTemplate":J}}""", "spec.concurrencyPolicy: Unsupported value: \"Wild\": supported values: \"Allow\", \"Forbid\", \"Replace\"")]
    [InlineData("""{"spec":{"schedule":"* * * * *","successfulJobsHistoryLimit":-1,"jobTemplate":{"spec":{"manualSelector":true,"selector":{},"template":N}}}}""",
        "[spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated, spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: \"nil\", \"false\", spec.successfulJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0]")]
    [InlineData("""{"metadata":{"name":"a23456789-123456789-123456789-123456789-123456789-123"},"spec":{"schedule":"* * * * *","jobTemplate":J}}""",
        "metadata.name: Invalid value: \"a23456789-123456789-123456789-123456789-123456789-123\": must be no more than 52 characters")]
    public async Task Cron_jobs(string json, string message) => Assert.Equal(message, await Create("batch/cronjobs", Fill(json)));

    [Theory]
    [InlineData("TZ=UTC */5 * * * *", null)]
    [InlineData("@every 5m", null)]
    [InlineData("@every 5x", "failed to parse duration @every 5x: time: unknown unit \"x\" in duration \"5x\"")]
    [InlineData("@often", "unrecognized descriptor: @often")]
    [InlineData("*/0 * * * *", "step of range should be a positive number: */0")]
    [InlineData("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    [InlineData("* * * 13 *", "end of range (13) above maximum (12): 13")]
    [InlineData("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1")]
    [InlineData("* * * * 7", "end of range (7) above maximum (6): 7")]
    public void Schedules(string schedule, string? error) => Assert.Equal(error, CronSchedule.Error(schedule));

    [Theory]
    [InlineData("""{"spec":{S}}""", """{"spec":{"serviceName":"x",S}}""",
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")]
    [InlineData("""{"spec":{S}}""", """{"spec":{"replicas":3,S}}""", "")]
    public async Task Stateful_set_updates(string was, string now, string message) => Assert.Equal(message, await Update("apps/statefulsets", Fill(was), Fill(now)));

    [Theory]
    [InlineData("""{"spec":{"maxReplicas":0}}""",
        "[spec.maxReplicas: Invalid value: 0: must be greater than 0, spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`, spec.scaleTargetRef.kind: Required value, spec.scaleTargetRef.name: Required value, spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group]")]
    [InlineData("""{"spec":{"maxReplicas":3,"minReplicas":0,R}}""",
        "[spec.minReplicas: Invalid value: 0: must be greater than or equal to 1, spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas]")]
    [InlineData("""{"spec":{"maxReplicas":3,R,"metrics":[{"type":"Cpu"}]}}""",
        "spec.metrics[0].type: Unsupported value: \"Cpu\": supported values: \"ContainerResource\", \"External\", \"Object\", \"Pods\", \"Resource\"")]
    [InlineData("""{"spec":{"maxReplicas":3,R,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":0}}}]}}""",
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0")]
    [InlineData("""{"spec":{"maxReplicas":3,R,"metrics":[{"type":"Pods","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}}""",
        "spec.metrics[0].pods: Required value: must populate information for the given metric source")]
    [InlineData("""{"spec":{"maxReplicas":3,R,"behavior":{"scaleUp":{"policies":[],"stabilizationWindowSeconds":3601}}}}""",
        "[spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600, spec.behavior.scaleUp.policies: Required value: must specify at least one Policy]")]
    [InlineData("""{"spec":{"maxReplicas":3,R,"behavior":{"scaleDown":{"policies":[{"type":"Pods","value":0,"periodSeconds":1801}]}}}}""",
        "[spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero, spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800]")]
    public async Task Autoscalers(string json, string message) =>
        Assert.Equal(message, await Create("autoscaling/v2/horizontalpodautoscalers", json.Replace(",R", ",\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"d\"}")));

    [Fact]
    public async Task Autoscaler_behaviour_is_completed()
    {
        var made = await Harness.CreateAsync("autoscaling", "horizontalpodautoscalers", Whole("""{"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"x/v1","kind":"D","name":"d"},"behavior":{"scaleDown":{"stabilizationWindowSeconds":5}}}}"""), "v2");
        Assert.Equal(
            """{"scaleDown":{"stabilizationWindowSeconds":5,"selectPolicy":"Max","policies":[{"type":"Percent","value":100,"periodSeconds":15}]},"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]}}""",
            made.Obj("spec", "behavior")!.ToJsonString());
    }

    private static string Fill(string json) => json.Replace("{S", "{" + Selected).Replace(",S}", "," + Selected + "}").Replace(":J}", ":{\"spec\":{\"template\":" + Never + "}}}")
        .Replace("\"template\":T", "\"template\":" + Labels).Replace("\"template\":N", "\"template\":" + Never);
}
