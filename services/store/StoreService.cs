using System.Security.Cryptography.X509Certificates;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Store.Access;
using Mesh.Store.Files;
using Mesh.Store.Rpc;
using Mesh.Store.Watching;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Etcd = Mesh.Rpc.Etcd;

namespace Mesh.Store;

/// <summary>The store as a service: etcd v3 over gRPC on every listener.</summary>
public sealed class StoreService : IMeshService
{
    private readonly Action<Exception>? _failed;

    /// <summary>A store that ends its process when the disk fails it: memory is not to be trusted then, and a restart reads the disk.</summary>
    public StoreService()
    {
    }

    /// <summary>A store that calls back when the disk fails it.</summary>
    public StoreService(Action<Exception> failed) => _failed = failed;

    /// <inheritdoc/>
    public string Name => "store";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<StoreOptions>();
        var addresses = options.Listen.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var services = builder.Services;
        services.AddLeanSockets();
        services.AddSingleton<IStoreFiles, DiskFiles>();
        services.AddSingleton(new ServedAddresses([.. (options.AdvertiseClientUrls ?? options.Listen).Split(',', StringSplitOptions.TrimEntries)]));
        services.AddSingleton(sp => OpenEngine(sp, options));
        services.AddSingleton(sp => sp.GetRequiredService<StoreEngine>().Checkpoints);
        services.AddSingleton(new WatchLimits { ProgressInterval = options.WatchProgressInterval });
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<AccessLock>();
        services.AddSingleton<Guard>();
        // One instance each: the services keep no state of a call.
        services.AddSingleton<KvService>();
        services.AddSingleton<WatchService>();
        services.AddSingleton<LeaseService>();
        services.AddSingleton<ClusterService>();
        services.AddSingleton<MaintenanceService>();
        services.AddSingleton<AuthService>();
        services.AddHostedService<EngineLife>();
        services.AddSingleton<StoreMetrics>();
        var grpc = new LeanGrpc();
        builder.UseApp(app => Bind(grpc, app));
        builder.UseApp(app => builder.Health.Add("log", () => app.Services.GetRequiredService<StoreEngine>().Failure is null));
        foreach (var address in addresses) builder.Listen(address, ListenOptions(MeshAddress.Parse(address), options) with { Grpc = grpc });
        if (options.MetricsListen is { Length: > 0 } metrics) builder.Listen(metrics);
    }

    /// <summary>The etcd services on the lean server; requests that are no gRPC (health, metrics) go through the web pipeline.</summary>
    private static void Bind(LeanGrpc grpc, WebApplication app)
    {
        var services = app.Services;
        grpc.LogTo(services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.Rpc"))
            .Add(binder => KvService.BindService(binder, services.GetRequiredService<KvService>()))
            .Add(binder => WatchService.BindService(binder, services.GetRequiredService<WatchService>()))
            .Add(binder => Etcd.Lease.BindService(binder, services.GetRequiredService<LeaseService>()))
            .Add(binder => Etcd.Cluster.BindService(binder, services.GetRequiredService<ClusterService>()))
            .Add(binder => Etcd.Maintenance.BindService(binder, services.GetRequiredService<MaintenanceService>()))
            .Add(binder => Etcd.Auth.BindService(binder, services.GetRequiredService<AuthService>()));
        RequestDelegate? pipeline = null;
        app.Use(next =>
        {
            pipeline = next;
            return next;
        });
        app.UseRouting(); // behind the capture, else the host puts it before
        grpc.Plain = async (method, path) =>
        {
            await using var scope = services.CreateAsyncScope();
            using var body = new MemoryStream();
            var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
            context.Request.Method = method;
            context.Request.Path = path.Split('?')[0];
            context.Response.Body = body;
            await pipeline!(context);
            return (context.Response.StatusCode, context.Response.ContentType ?? "text/plain; charset=utf-8", body.ToArray());
        };
    }

    private StoreEngine OpenEngine(IServiceProvider services, StoreOptions options)
    {
        var engine = StoreEngine.Open(options, services.GetRequiredService<IStoreFiles>(), services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.Store"));
        engine.Failed += _failed ?? (static _ => Environment.Exit(1));
        return engine;
    }

    private static MeshListenOptions ListenOptions(MeshAddress address, StoreOptions options)
    {
        if (address.Scheme != MeshScheme.Https) return new MeshListenOptions { Protocols = HttpProtocols.Http2 };
        if (options.CertFile is null || options.KeyFile is null) throw new SettingsException("store: https needs --cert-file and --key-file");
        var certificate = new ReloadedFile<X509Certificate2>(options.CertFile, () => Usable(X509Certificate2.CreateFromPemFile(options.CertFile, options.KeyFile)));
        ReloadedFile<X509Certificate2Collection>? roots = null;
        if (options.TrustedCaFile is { Length: > 0 } ca)
        {
            roots = new ReloadedFile<X509Certificate2Collection>(ca, () =>
            {
                var collection = new X509Certificate2Collection();
                collection.ImportFromPemFile(ca);
                return collection;
            });
        }

        return new MeshListenOptions
        {
            Certificate = certificate.Get,
            ClientRoots = roots is null ? null : roots.Get,
            RequireClientCertificate = roots is not null,
        };
    }

    /// <summary>A certificate whose key the TLS stack can use on every platform.</summary>
    private static X509Certificate2 Usable(X509Certificate2 pem)
    {
        using (pem) return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>Recovers before the listeners open, and closes the log at the end.</summary>
    private sealed class EngineLife(StoreEngine engine, IServiceProvider services, ILoggerFactory loggers, StoreOptions options) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            _ = services.GetRequiredService<StoreMetrics>();
            Log.Serving(loggers.CreateLogger("Mesh.Store"), options.Listen);
            return Task.CompletedTask;
        }

        public async Task StopAsync(CancellationToken cancellationToken) => await engine.DisposeAsync();
    }
}
