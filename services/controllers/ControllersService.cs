using System.Security.Cryptography.X509Certificates;
using Mesh.Client;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security.Pki;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

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
        var kubeconfig = options.Kubeconfig is { Length: > 0 } path ? KubeConfig.Load(path) : null;
        var address = options.Gateway is { Length: > 0 } given ? given
            : kubeconfig?.Server ?? throw new SettingsException("controllers: --gateway or --kubeconfig is needed");
        if (kubeconfig is not null) builder.Services.AddSingleton(kubeconfig);
        var channel = ChannelOptions(builder.ChannelOptions(), kubeconfig);
        builder.Services.AddSingleton<IKubeClient>(services =>
            new KubeClient(MeshChannel.Create(address, channel with { LoggerFactory = services.GetRequiredService<ILoggerFactory>() }), "kube-controller-manager"));
        builder.AddWorker<ControllersWorker>();
        if (options.Listen.Length > 0) builder.Listen(options.Listen);
    }

    private static MeshChannelOptions ChannelOptions(MeshChannelOptions options, KubeConfig? kubeconfig)
    {
        if (kubeconfig is null) return options;
        var certificate = kubeconfig.ClientCertificate();
        if (certificate is not null) options = options with { ClientCertificate = () => certificate };
        if (kubeconfig.Token is { } token) options = options with { BearerToken = _ => new ValueTask<string?>(token) };
        if (kubeconfig.AuthorityPem is not { Length: > 0 } pem) return options;
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return options with { TrustedRoots = () => roots };
    }
}
