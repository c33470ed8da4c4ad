using Mesh.Client;
using Mesh.Hosting;
using Mesh.ServiceProxy.Model;
using Mesh.ServiceProxy.Nftables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

/// <summary>The service proxy of a node: Services and EndpointSlices into the kernel.</summary>
public sealed class ServiceProxyService : IMeshService
{
    /// <inheritdoc/>
    public string Name => "service-proxy";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<ProxyOptions>();
        DriverFactory.Check(options);
        builder.AddKubeClient(options, "kube-proxy");
        builder.Services.AddSingleton<ProxyMetrics>();
        builder.Services.AddSingleton<IForwardingDriver>(s => DriverFactory.Create(options, s.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddSingleton<ProxyLoop>();
        builder.Services.AddHostedService(s => s.GetRequiredService<ProxyLoop>());
        builder.UseApp(app => builder.Health.Add("sync", () => app.Services.GetRequiredService<ProxyLoop>().Synced));
        if (options.Health.Length > 0)
            builder.Listen(options.Health);
    }

    /// <summary>Removes what a proxy with these options put into the kernel.</summary>
    public static void CleanUp(ProxyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var library = NftLibrary.TryOpen(out _);
        if (library is not null)
            NftDriver.CleanUp(library, options.Table);
    }
}
