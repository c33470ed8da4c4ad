using System.Buffers;
using System.Text;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Telemetry;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Rpc;

/// <summary>What dashboards read of every component that asks the API: rest_client_* and the version it speaks.</summary>
[Collection("gateway")]
public sealed class ClientMetricsTests(GatewayHost gateway)
{
    [Fact, Compatibility(17)]
    public async Task A_components_requests_are_counted_by_method_and_code()
    {
        using var registry = new MetricsRegistry(TimeProvider.System, withProcess: false);
        var client = new KubeClient(new RestClientMetrics(registry, TimeProvider.System).Observe(gateway.Channel), "metrics");
        var map = await client.CreateAsync(new ConfigMap { Metadata = { Name = "client-metrics", Namespace = "default" } });
        await client.UpdateAsync(map);
        await client.ListAsync<ConfigMap>(new ListQuery { Namespace = "default" });
        Assert.Equal(404, (await Assert.ThrowsAsync<ApiException>(() => client.GetAsync<ConfigMap>("default", "client-metrics-none"))).Status.Code);

        // Counted once the answer is there; that is not before its reader has it.
        var text = "";
        for (var end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end && !Expected.All(e => text.Contains(e, StringComparison.Ordinal)); await Task.Delay(20))
        {
            var output = new ArrayBufferWriter<byte>();
            registry.Write(output);
            text = Encoding.UTF8.GetString(output.WrittenSpan);
        }

        Assert.All(Expected, e => Assert.Contains(e, text, StringComparison.Ordinal));
        Assert.Contains("# TYPE rest_client_request_duration_seconds histogram\n", text, StringComparison.Ordinal);
        Assert.Contains("kubernetes_build_info{", text, StringComparison.Ordinal);
    }

    private static readonly string[] Expected =
    [
        "rest_client_requests_total{code=\"201\",host=\"gateway\",method=\"POST\"} 1\n",
        "rest_client_requests_total{code=\"200\",host=\"gateway\",method=\"PUT\"} 1\n",
        "rest_client_requests_total{code=\"200\",host=\"gateway\",method=\"GET\"} 1\n",
        "rest_client_requests_total{code=\"404\",host=\"gateway\",method=\"GET\"} 1\n",
        "rest_client_request_duration_seconds_count{host=\"gateway\",verb=\"GET\"} 2\n",
        "rest_client_request_duration_seconds_bucket{host=\"gateway\",verb=\"PUT\",le=\"60\"} 1\n",
    ];
}
