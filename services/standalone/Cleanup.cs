using Mesh.NodeAgent;
using Mesh.ServiceProxy;

namespace Mesh.Standalone;

/// <summary>Takes back what the cluster put on this machine outside its data directory. The processes must have stopped.</summary>
internal static class Cleanup
{
    public static async Task<int> RunAsync(ClusterOptions options)
    {
        if (options.Runtime == "hollow")
            return 0;
        await NodeCleanup.RunAsync(new ClusterLayout(options.DataDir).Node, CancellationToken.None);
        ServiceProxyService.CleanUp(new ProxyOptions());
        return 0;
    }
}
