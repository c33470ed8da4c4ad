using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>The store is open at its seam: etcdctl reaches it with what <c>./mesh up</c> wrote.</summary>
[Collection("cluster")]
public class EtcdctlTests(SharedCluster shared)
{
    [Fact]
    public async Task EtcdctlReadsTheRegistry()
    {
        const string env = "set -a; . $MESH_DATA_DIR/etcdctl.env;";
        Assert.Contains("/registry/namespaces/default", (await shared.Cluster.ShAsync(env + "etcdctl get --prefix --keys-only /registry/namespaces/")).Ok());
        Assert.Contains("is healthy", (await shared.Cluster.ShAsync(env + "etcdctl endpoint health 2>&1")).Ok());
    }

    [Fact]
    public async Task WithoutAClientCertificateTheStoreRefuses() =>
        (await shared.Cluster.ShAsync("ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --insecure-skip-tls-verify --command-timeout=3s --dial-timeout=3s get x")).Fails();
}
