using System.Text.Json.Nodes;

namespace Mesh.Gateway.Tests.Admission;

/// <summary>Volumes and claims are protected from the moment they are made (StorageObjectInUseProtection).</summary>
[Collection("gateway")]
public sealed class StorageProtectionTests(GatewayHost gateway)
{
    private const string Claim = """{"metadata":{"name":"NAME"FINALIZERS},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""";
    private const string Volume = """{"metadata":{"name":"NAME"FINALIZERS},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/x"}}}""";

    [Theory]
    [InlineData("/api/v1/namespaces/default/persistentvolumeclaims", Claim, "", "kubernetes.io/pvc-protection")]
    [InlineData("/api/v1/namespaces/default/persistentvolumeclaims", Claim, ",\"finalizers\":[\"example.com/a\"]", "example.com/a kubernetes.io/pvc-protection")]
    [InlineData("/api/v1/namespaces/default/persistentvolumeclaims", Claim, ",\"finalizers\":[\"kubernetes.io/pvc-protection\"]", "kubernetes.io/pvc-protection")]
    [InlineData("/api/v1/persistentvolumes", Volume, "", "kubernetes.io/pv-protection")]
    public async Task New_storage_objects_are_protected(string path, string body, string given, string finalizers)
    {
        var name = "protected-" + Guid.NewGuid().ToString("n")[..8];
        var (code, made) = await gateway.PostAsync(path, body.Replace("NAME", name, StringComparison.Ordinal).Replace("FINALIZERS", given, StringComparison.Ordinal));
        Assert.Equal((201, finalizers), (code, string.Join(' ', (JsonArray)made["metadata"]!["finalizers"]!)));

        // It stays until the finalizers are taken off.
        var (_, deleted) = await gateway.SendAsync(HttpMethod.Delete, $"{path}/{name}");
        Assert.NotNull(deleted["metadata"]!["deletionTimestamp"]);
        await gateway.SendAsync(HttpMethod.Patch, $"{path}/{name}", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        Assert.Equal(404, (await gateway.GetAsync($"{path}/{name}")).Code);
    }
}
