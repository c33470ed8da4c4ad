namespace Mesh.Gateway.Tests.Conformance;

/// <summary>Refusals that concern more than one field, in Kubernetes' words.</summary>
[Collection("gateway")]
public sealed class RefusalRows(GatewayHost api)
{
    [Fact]
    public async Task Events_own_nothing()
    {
        const string owner = """{"apiVersion":"v1","kind":"Event","name":"a","uid":"b"}""";
        Assert.Equal(
            $"ConfigMap \"c\" is invalid: metadata.ownerReferences: Invalid value: {owner}: /v1, Kind=Event is disallowed from being an owner",
            await api.RefusedAsync(422, "/api/v1/namespaces/default/configmaps?dryRun=All", """{"metadata":{"name":"c","ownerReferences":[""" + owner + "]}}"));
    }

    [Fact]
    public async Task A_port_written_twice_gets_two_node_ports_and_one_refusal()
    {
        var message = await api.RefusedAsync(
            422, "/api/v1/namespaces/default/services?dryRun=All", """{"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"name":"a","port":80},{"name":"b","port":80}]}}""");
        Assert.StartsWith("Service \"s\" is invalid: spec.ports[1]: Duplicate value: ", message);
    }

    [Fact]
    public async Task A_claim_has_no_source_in_another_namespace()
    {
        var claim = await api.MakeAsync(
            "/api/v1/namespaces/default/persistentvolumeclaims?dryRun=All",
            """{"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"dataSourceRef":{"apiGroup":"x.y","kind":"Z","name":"q","namespace":"other"}}}""");
        Assert.False(claim["spec"]!.AsObject().ContainsKey("dataSourceRef"));
    }
}
