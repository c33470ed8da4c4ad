using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Workloads;

namespace Mesh.Gateway.Tests.Kinds;

public class KindTests
{
    private const string Template = """{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"a","image":"x:1"}]}}""";
    private readonly KindHarness harness = new();

    [Fact]
    public async Task Deployments_get_defaults()
    {
        var deployment = await harness.CreateAsync("apps", "deployments", Named($$$"""{"selector":{"matchLabels":{"app":"a"}},"template":{{{Template}}}}"""));
        var spec = deployment.Obj("spec");
        Assert.Equal((1, 10, 600), (spec.Num("replicas"), spec.Num("revisionHistoryLimit"), spec.Num("progressDeadlineSeconds")));
        Assert.Equal("""{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}}""", spec!["strategy"]!.ToJsonString());
        Assert.Equal("ClusterFirst", spec.Obj("template").Obj("spec").Str("dnsPolicy"));
        Assert.False(spec.Obj("template").Obj("spec").Has("enableServiceLinks"));
    }

    [Theory]
    [InlineData("""{"replicas":-1,"selector":{"matchLabels":{"app":"a"}},"template":T}""", "spec.replicas: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("""{"selector":{"matchLabels":{"app":"b"}},"template":T}""", "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`")]
    [InlineData("""{"selector":{"matchLabels":{"app":"a"}},"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":0}},"template":T}""",
        "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0")]
    public async Task Wrong_deployments_are_refused(string spec, string message)
    {
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.CreateAsync("apps", "deployments", Named(spec.Replace("T}", Template + "}"))));
        Assert.Equal("Deployment.apps \"a\" is invalid: " + message, error.Message);
    }

    [Fact]
    public async Task Generation_counts_specs_only_and_selectors_stay()
    {
        var old = await harness.CreateAsync("apps", "deployments", Named($$$"""{"selector":{"matchLabels":{"app":"a"}},"template":{{{Template}}}}"""));
        var labelled = (JsonObject)old.DeepClone();
        labelled.Obj("metadata")!["labels"] = new JsonObject { ["x"] = "y" };
        labelled["status"] = new JsonObject { ["replicas"] = 9 };
        labelled = await harness.UpdateAsync("apps", "deployments", labelled, old);
        Assert.Equal(1, labelled.Obj("metadata").Num("generation"));
        Assert.Null(labelled["status"]);

        var scaled = (JsonObject)old.DeepClone();
        scaled["spec"]!["replicas"] = 3;
        Assert.Equal(2, (await harness.UpdateAsync("apps", "deployments", scaled, old)).Obj("metadata").Num("generation"));

        var wrong = KindHarness.Json(old.ToJsonString().Replace("\"app\":\"a\"", "\"app\":\"z\""));
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.UpdateAsync("apps", "deployments", wrong, old));
        Assert.EndsWith("field is immutable", error.Message);
    }

    [Fact]
    public async Task Secrets_take_plain_text_and_keep_their_type()
    {
        var secret = await harness.CreateAsync("", "secrets", KindHarness.Json("""{"metadata":{"name":"a"},"stringData":{"k":"v"}}"""));
        Assert.Equal("""{"k":"dg=="}""", secret["data"]!.ToJsonString());
        Assert.Equal("Opaque", secret.Str("type"));
        Assert.Null(secret["stringData"]);
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.CreateAsync("", "secrets", KindHarness.Json("""{"metadata":{"name":"a"},"type":"kubernetes.io/tls"}""")));
        Assert.Equal("Secret \"a\" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]", error.Message);
    }

    [Fact]
    public async Task Immutable_config_maps_stay()
    {
        var old = await harness.CreateAsync("", "configmaps", KindHarness.Json("""{"metadata":{"name":"a"},"data":{"k":"v"},"immutable":true}"""));
        var error = await Assert.ThrowsAsync<ApiException>(() => harness.UpdateAsync("", "configmaps", KindHarness.Json("""{"metadata":{"name":"a"},"data":{"k":"w"},"immutable":true}"""), old));
        Assert.Equal("ConfigMap \"a\" is invalid: data: Forbidden: field is immutable when `immutable` is set", error.Message);
    }

    [Fact]
    public async Task Namespaces_are_labelled_and_kept_by_a_finalizer()
    {
        var ns = await harness.CreateAsync("", "namespaces", KindHarness.Json("""{"metadata":{"name":"a"}}"""));
        Assert.Equal("""{"kubernetes.io/metadata.name":"a"}""", ns["metadata"]!["labels"]!.ToJsonString());
        Assert.Equal("""{"finalizers":["kubernetes"]}""", ns["spec"]!.ToJsonString());
        Assert.Equal("Active", ns.Obj("status").Str("phase"));
        Assert.NotEmpty(harness.Strategy("", "namespaces").ValidateName("a.b", false));
    }

    [Fact]
    public async Task Jobs_select_their_pods_by_uid()
    {
        var job = await harness.CreateAsync("batch", "jobs", KindHarness.Json($$$"""{"metadata":{"name":"j","uid":"u1"},"spec":{"template":{{{Template.Replace("\"containers\"", "\"restartPolicy\":\"Never\",\"containers\"")}}}}}"""));
        Assert.Equal("""{"matchLabels":{"batch.kubernetes.io/controller-uid":"u1"}}""", job["spec"]!["selector"]!.ToJsonString());
        Assert.Equal("j", job.Obj("spec").Obj("template").Obj("metadata", "labels").Str("job-name"));
        Assert.Equal((1, 1, 6), (job.Obj("spec").Num("completions"), job.Obj("spec").Num("parallelism"), job.Obj("spec").Num("backoffLimit")));
    }

    [Fact]
    public async Task Controllers_take_selector_from_the_template()
    {
        var controller = await harness.CreateAsync("", "replicationcontrollers", Named($$$"""{"template":{{{Template}}}}"""));
        Assert.Equal("""{"app":"a"}""", controller["spec"]!["selector"]!.ToJsonString());
        Assert.Equal("""{"app":"a"}""", controller["metadata"]!["labels"]!.ToJsonString());
    }

    [Theory]
    [InlineData("*/5 * * * *", true)]
    [InlineData("0 3 * jan-mar mon,wed", true)]
    [InlineData("@hourly", true)]
    [InlineData("60 * * * *", false)]
    [InlineData("* * * *", false)]
    [InlineData("a * * * *", false)]
    public void Cron_schedules(string text, bool valid) => Assert.Equal(valid, CronSchedule.Error(text) is null);

    [Fact]
    public void Every_resource_has_a_strategy()
    {
        foreach (var resource in ResourceTable.All)
            Assert.Equal(resource, new StrategyRegistry(new(), new Random(1)).For(resource).Resource);
    }

    private static JsonObject Named(string spec) => KindHarness.Json($$$"""{"metadata":{"name":"a","namespace":"default"},"spec":{{{spec}}}}""");
}
