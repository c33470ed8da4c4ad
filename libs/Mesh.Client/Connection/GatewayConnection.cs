using System.ComponentModel;
using System.Diagnostics.Metrics;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security.Pki;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>How a service reaches the gateway and as whom; the same three settings for every service.</summary>
public class GatewayConnectionOptions
{
    /// <summary>Server and client certificate, as kubectl reads them.</summary>
    [Description("kubeconfig file: server address, CA and client certificate")]
    public string Kubeconfig { get; set; } = "";

    /// <summary>Address of the gateway, over the kubeconfig's.</summary>
    [Description("address of the gateway (https://host:port, inproc://gateway); default: the kubeconfig's server")]
    public string Gateway { get; set; } = "";

    /// <summary>Bearer token, over the kubeconfig's certificate.</summary>
    [Description("bearer token for the gateway; default: the kubeconfig's client certificate")]
    public string GatewayToken { get; set; } = "";
}

/// <summary>Registers the client side of the API in a service's container.</summary>
public static class GatewayConnection
{
    /// <summary>
    /// Adds <see cref="IKubeClient"/>, <see cref="IInformerFactory"/> (running from start to stop of the service) and
    /// <see cref="IEventRecorder"/> under the component's name.
    /// </summary>
    /// <exception cref="SettingsException">Neither a kubeconfig nor an address is given, or the file cannot be read.</exception>
    public static void AddKubeClient(this MeshServiceBuilder builder, GatewayConnectionOptions options, string component)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        var channel = Open(options, builder.Name, builder.ChannelOptions());
        builder.Services.AddSingleton(channel);
        builder.Services.AddSingleton(static s => new RestClientMetrics(s.GetRequiredService<IMeterFactory>(), s.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IKubeClient>(s => new KubeClient(s.GetRequiredService<RestClientMetrics>().Observe(channel), component));
        builder.Services.AddSingleton<IInformerFactory>(s => new InformerFactory(
            s.GetRequiredService<IKubeClient>(), s.GetRequiredService<ILoggerFactory>(), s.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IEventRecorder>(s => new EventRecorder(
            s.GetRequiredService<IKubeClient>(), component, s.GetRequiredService<ILoggerFactory>().CreateLogger("events"), s.GetRequiredService<TimeProvider>(), Environment.MachineName));
        builder.AddWorker<InformerWorker>();
    }

    /// <summary>Opens the channel; nothing is sent before the first call.</summary>
    public static GrpcChannel Open(GatewayConnectionOptions options, string service, MeshChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(channelOptions);
        var address = options.Gateway;
        if (options.Kubeconfig.Length > 0)
        {
            KubeConfig config;
            try
            {
                config = KubeConfig.Load(options.Kubeconfig);
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                throw new SettingsException($"{service}: --kubeconfig {options.Kubeconfig}: {e.Message}");
            }

            if (address.Length == 0)
                address = config.Server;
            var certificate = config.ClientCertificate();
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(config.AuthorityPem);
            if (config.Token is { Length: > 0 } token)
                channelOptions = channelOptions with { BearerToken = _ => new ValueTask<string?>(token) };
            channelOptions = channelOptions with { ClientCertificate = () => certificate, TrustedRoots = () => roots };
        }

        if (address.Length == 0)
            throw new SettingsException($"{service}: where is the gateway? Give --kubeconfig FILE or --gateway ADDRESS");
        if (options.GatewayToken.Length > 0)
            channelOptions = channelOptions with { BearerToken = _ => new ValueTask<string?>(options.GatewayToken) };
        return MeshChannel.Create(address, channelOptions);
    }

    private sealed class InformerWorker(IInformerFactory informers) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => informers.RunAsync(stoppingToken);
    }
}
