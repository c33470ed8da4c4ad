using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Rpc;
using Mesh.Security.Pki;

namespace Mesh.Standalone;

/// <summary>Waits until the cluster's node is Ready, as the administrator sees it.</summary>
internal static class NodeWait
{
    public static async Task<int> RunAsync(ClusterOptions options, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        using var channel = GatewayConnection.Open(
            new GatewayConnectionOptions { Kubeconfig = new ClusterLayout(options.DataDir).Config(ClusterKubeConfigs.Admin) }, "wait", new MeshChannelOptions());
        var client = new KubeClient(channel, "mesh");
        var last = "the gateway does not answer";
        try
        {
            while (true)
            {
                try
                {
                    var node = await client.GetAsync<Node>(null, options.NodeName, limit.Token);
                    var ready = node.Status?.Conditions?.Find(c => c.Type == "Ready");
                    if (ready?.Status == "True")
                        return 0;
                    last = ready is null ? "the node has not reported yet" : $"node {options.NodeName}: {ready.Reason}: {ready.Message}";
                }
                catch (ApiException e)
                {
                    last = e.Message;
                }
                catch (Exception e) when (!limit.IsCancellationRequested && e is not OperationCanceledException)
                {
                    last = "the gateway does not answer: " + (e.InnerException ?? e).Message;
                }

                await Task.Delay(50, limit.Token);
            }
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"error: not Ready after {timeout.TotalSeconds:F0} s: {last}");
            return 1;
        }
    }
}
