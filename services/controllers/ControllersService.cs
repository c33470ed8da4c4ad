using System.Diagnostics.Metrics;
using Mesh.Client;
using Mesh.Events;
using Mesh.Hosting;
using Mesh.Security.Pki;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Controllers;

/// <summary>The controllers as a service: what kube-controller-manager is to Kubernetes.</summary>
public sealed class ControllersService : IMeshService
{
    /// <inheritdoc />
    public string Name => "controllers";

    /// <inheritdoc />
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<ControllersOptions>();
        if (options.Kubeconfig.Length > 0) builder.Services.AddSingleton(KubeConfig.Load(options.Kubeconfig));
        var channel = GatewayConnection.Open(options, Name, builder.ChannelOptions());
        builder.Services.AddSingleton(static s => new RestClientMetrics(s.GetRequiredService<IMeterFactory>(), s.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IKubeClient>(s => new KubeClient(s.GetRequiredService<RestClientMetrics>().Observe(channel), "kube-controller-manager"));
        if (options.Kafka.Length > 0)
            builder.Services.AddSingleton<IEventBus>(_ => new KafkaEventBus(new KafkaEventBusOptions { Brokers = options.Kafka, ClientId = "mesh-controllers" }));
        builder.AddWorker<ControllersWorker>();
        if (options.Listen.Length > 0) builder.Listen(options.Listen);
    }
}
