using System.Net;
using Mesh.Client;
using Mesh.Dns.Forwarding;
using Mesh.Dns.Zone;
using Mesh.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Dns;

/// <summary>The cluster DNS: service discovery by name, everything else forwarded to the node's resolvers.</summary>
public sealed class DnsService : IMeshService
{
    /// <inheritdoc/>
    public string Name => "dns";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<DnsOptions>();
        if (!IPEndPoint.TryParse(options.Listen, out var listen))
            throw new SettingsException($"dns: --listen {options.Listen} is not an IP:port");
        builder.AddKubeClient(options, "dns");
        builder.Services.AddSingleton<IClusterDirectory, InformerDirectory>();
        builder.Services.AddSingleton(s => new ClusterZone(options.Domain, s.GetRequiredService<IClusterDirectory>()));
        builder.Services.AddSingleton<IUpstream>(s => new Upstream(Upstream.FromResolvConf(options.ResolvConf, [listen]), s.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<DnsMetrics>();
        builder.Services.AddSingleton<DnsHandler>();
        builder.Services.AddSingleton<DnsServer>();
        builder.Services.AddSingleton(new DnsEndPointOf(listen));
        builder.AddWorker<Worker>();
        builder.AddWorker<ClusterServicePublisher>();
        if (options.Health.Length > 0)
            builder.Listen(options.Health);
    }

    internal sealed record DnsEndPointOf(IPEndPoint Listen);

    // The directory is made before the informers start: its indexes must be there first.
    private sealed class Worker(DnsServer server, DnsEndPointOf address) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => server.RunAsync(address.Listen, null, stoppingToken);
    }
}
