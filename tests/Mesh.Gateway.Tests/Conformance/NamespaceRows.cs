using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] Namespaces, OrderedNamespaceDeletion.</summary>
[Collection("control plane")]
public sealed class NamespaceRows(ControlPlane api)
{
    private const string Pod = """{"metadata":{"name":"test-pod"FINALIZERS},"spec":{"containers":[{"name":"nginx","image":"pause"}]}}""";

    [Fact, Conformance("Namespace patching")]
    public async Task A_patch_labels_it()
    {
        var ns = await api.NamespaceAsync("nspatch");
        await api.PatchAsync(ns, """{"metadata":{"labels":{"testLabel":"testValue"}}}""", "application/strategic-merge-patch+json");
        Assert.Equal("testValue", (string?)(await api.ReadAsync(ns))["metadata"]!["labels"]!["testLabel"]);
    }

    [Fact, Conformance("Namespace, apply update to a namespace")]
    public async Task An_update_labels_it()
    {
        var ns = await api.NamespaceAsync("nsupdate");
        await api.UpdateAsync(ns, o => o["metadata"]!["labels"]!["updated"] = "yes");
        var labels = (await api.ReadAsync(ns))["metadata"]!["labels"]!;
        Assert.Equal(("yes", ns.Split('/')[^1]), ((string?)labels["updated"], (string?)labels["kubernetes.io/metadata.name"]));
    }

    [Fact, Conformance("Namespace, apply changes to a namespace status")]
    public async Task Its_status_is_read_patched_and_updated()
    {
        var ns = await api.NamespaceAsync("nsstatus");
        Assert.Equal("Active", (string?)(await api.ReadAsync(ns + "/status"))["status"]!["phase"]);
        var patched = await api.PatchAsync(
            ns + "/status", """{"metadata":{"annotations":{"e2e-patched-ns-status":"x"}},"status":{"conditions":[{"type":"StatusPatch","status":"True","reason":"E2E","message":"Patched by an e2e test"}]}}""");
        Assert.Equal("StatusPatch", (string?)patched["status"]!["conditions"]![0]!["type"]);
        var updated = await api.UpdateAsync(ns + "/status", static o => o["status"]!["conditions"]!.AsArray().Add(
            JsonNode.Parse("""{"type":"StatusUpdate","status":"True","reason":"E2E","message":"Updated by an e2e test"}""")));
        Assert.Contains(updated["status"]!["conditions"]!.AsArray(), static c => (string?)c!["type"] == "StatusUpdate");
        Assert.Equal("Active", (string?)updated["status"]!["phase"]);
    }

    [Fact, Conformance("Namespace, apply finalizer to a namespace")]
    public async Task Finalizers_of_the_spec_come_and_go_by_finalize()
    {
        const string Finalizer = "e2e.example.com/fakeFinalizer";
        var ns = await api.NamespaceAsync("nsfinalizer");
        var with = await api.UpdateAsync(ns + "/finalize", static o => o["spec"]!["finalizers"]!.AsArray().Add(Finalizer), ns);
        Assert.Equal($"""["kubernetes","{Finalizer}"]""", with["spec"]!["finalizers"]!.ToJsonString());
        Assert.Contains(Finalizer, (await api.ReadAsync(ns))["spec"]!["finalizers"]!.ToJsonString());
        var without = await api.UpdateAsync(ns + "/finalize", static o => o["spec"]!["finalizers"] = new JsonArray("kubernetes"), ns);
        Assert.Equal("""["kubernetes"]""", without["spec"]!["finalizers"]!.ToJsonString());
        // Anything but finalize leaves them alone.
        var written = await api.UpdateAsync(ns, static o => o["spec"]!["finalizers"] = new JsonArray("kubernetes", Finalizer));
        Assert.Equal("""["kubernetes"]""", written["spec"]!["finalizers"]!.ToJsonString());
    }

    [Fact, Conformance("namespace-deletion-removes-pods")]
    public Task Its_pods_go_with_it() => GoesAsync("pods/test-pod", Pod.Replace("FINALIZERS", "", StringComparison.Ordinal));

    [Fact, Conformance("namespace-deletion-removes-services")]
    public Task Its_services_go_with_it() => GoesAsync("services/test-service", """{"metadata":{"name":"test-service"},"spec":{"selector":{"foo":"bar"},"ports":[{"port":80}]}}""");

    [Fact, Conformance("Ordered Namespace Deletion")]
    public async Task Pods_go_before_everything_else()
    {
        var ns = await api.NamespaceAsync("nsorder");
        await api.MakeAsync(ns + "/pods", Pod.Replace("FINALIZERS", ""","finalizers":["e2e.example.com/finalizer"]""", StringComparison.Ordinal));
        await api.MakeAsync(ns + "/configmaps", """{"metadata":{"name":"test-configmap"},"data":{"k":"v"}}""");
        await api.DeleteAsync(ns);

        var deleting = await api.UntilAsync(ns, static o => Condition(o, "NamespaceContentRemaining") == "True" && Condition(o, "NamespaceFinalizersRemaining") == "True");
        Assert.Equal("Terminating", (string?)deleting["status"]!["phase"]);
        Assert.Equal("False", Condition(deleting, "NamespaceDeletionContentFailure"));
        await api.UntilAsync(ns + "/pods/test-pod", static o => o["metadata"]!["deletionTimestamp"] is not null);
        Assert.Null((await api.ReadAsync(ns + "/configmaps/test-configmap"))["metadata"]!["deletionTimestamp"]);
        Assert.Equal(403, (await api.PostAsync(ns + "/configmaps", """{"metadata":{"name":"late"}}""")).Code);

        await api.PatchAsync(ns + "/pods/test-pod", """{"metadata":{"finalizers":null}}""");
        await api.GoneAsync(ns);
    }

    private static string? Condition(JsonObject ns, string type) => (string?)ns["status"]?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == type)?["status"];

    private async Task GoesAsync(string what, string manifest)
    {
        var ns = await api.NamespaceAsync("nsdelete");
        await api.MakeAsync($"{ns}/{what.Split('/')[0]}", manifest);
        await api.DeleteAsync(ns);
        await api.GoneAsync(ns);
        // Made anew it is empty.
        await api.MakeAsync("/api/v1/namespaces", $$$$"""{"metadata":{"name":"{{{{ns.Split('/')[^1]}}}}"}}""");
        Assert.Equal(404, (await api.GetAsync($"{ns}/{what}")).Code);
    }
}
