using Mesh.E2E.Tests.Harness;

namespace Mesh.E2E.Tests.Scenarios;

/// <summary>Client libraries of other languages against a running cluster.</summary>
[Collection("cluster")]
public class ClientLibraryTests(SharedCluster shared)
{
    private const string Package = "@kubernetes/client-node";
    private readonly Cluster cluster = shared.Cluster;

    [Fact]
    public async Task AnInformerOfNodeJsLivesThroughARestartOfTheGateway()
    {
        var folder = Cluster.Root + "/.mesh/client-node";
        (await Shell.RunAsync(
            $"mkdir -p {folder} && cp {Cluster.Root}/tests/e2e/clients/informer.mjs {folder} && cd {folder} && "
            + $"{{ [ -e node_modules/{Package}/package.json ] || npm install --prefix . --no-audit --no-fund --loglevel=error {Package}@1.4.0; }}",
            TimeSpan.FromMinutes(3))).Ok();
        await cluster.KubectlAsync("create namespace informed");
        var log = cluster.DataDir + "/informer.log";
        var informer = cluster.ShAsync($"echo $$ >{log}.pid; exec timeout 100 node {folder}/informer.mjs informed >{log} 2>&1", TimeSpan.FromSeconds(110));
        try
        {
            await cluster.KubectlAsync("create cm a -n informed --from-literal=v=1");
            await SeesAsync("add a 1");
            await cluster.KubectlAsync("patch cm a -n informed -p '{\"data\":{\"v\":\"2\"}}'");
            await SeesAsync("update a 2");

            (await cluster.ShAsync("kill -9 $(cat $MESH_DATA_DIR/run/standalone.pid)")).Ok();
            await cluster.UntilAsync("kubectl get --raw /readyz", o => o == "ok");
            await cluster.KubectlAsync("patch cm a -n informed -p '{\"data\":{\"v\":\"3\"}}'");
            await cluster.KubectlAsync("create cm b -n informed --from-literal=v=9");
            await SeesAsync("lost");
            await SeesAsync("update a 3");
            await SeesAsync("add b 9");
            await cluster.KubectlAsync("delete cm a -n informed");
            await SeesAsync("delete a 3");
        }
        finally
        {
            await cluster.ShAsync($"kill $(cat {log}.pid); kubectl delete namespace informed --wait=false");
            await informer;
        }

        Task SeesAsync(string line) => cluster.UntilAsync($"cat {log}", o => o.Split('\n').Contains(line), TimeSpan.FromSeconds(60));
    }
}
