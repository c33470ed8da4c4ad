using Mesh.NodeAgent.Server;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.NodeAgent.Tests.Support;

/// <summary>The agent's API on a free loopback port, without TLS and without asking who calls.</summary>
internal static class ServedAgent
{
    public static async Task<WebApplication> StartAsync(AgentNode node, MetricsRegistry? metrics = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        new NodeApi(node, TimeProvider.System, NullLoggerFactory.Instance, metrics ?? new MetricsRegistry(TimeProvider.System, false)).Map(app);
        await app.StartAsync();
        return app;
    }
}
