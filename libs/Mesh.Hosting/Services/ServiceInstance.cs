using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting;

/// <summary>One configured service: its container, its server, its life from start to stop.</summary>
internal sealed class ServiceInstance : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly IReadOnlyList<MeshAddress> _listeners;
    private volatile bool _stopping;

    private ServiceInstance(string name, IHost host, IReadOnlyList<MeshAddress> listeners, SettingsSection settings)
    {
        Name = name;
        _host = host;
        _listeners = listeners;
        Settings = settings;
    }

    public string Name { get; }

    public SettingsSection Settings { get; }

    public IServiceProvider Services => _host.Services;

    /// <summary>Where it listens, with the ports it was given.</summary>
    public IReadOnlyList<MeshAddress> Addresses
    {
        get
        {
            var bound = _host.Services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
            return [.. _listeners.Where(l => l.Port != 0 || l.Scheme is MeshScheme.Unix or MeshScheme.InProc),
                .. bound.Where(a => a.StartsWith("http", StringComparison.Ordinal) && !a.Contains("//unix", StringComparison.Ordinal) && !a.Contains("inproc", StringComparison.Ordinal))
                    .Select(MeshAddress.Parse).Where(a => !_listeners.Any(l => l.Port == a.Port))];
        }
    }

    public static ServiceInstance Build(IMeshService service, MeshProcess process)
    {
        // The empty builder has no file watchers, no configuration sources and no console lifetime: the process has its own of these.
        var web = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "mesh-" + service.Name, EnvironmentName = "Production" });
        var services = web.Services;
        web.Logging.ClearProviders();
        web.Logging.AddProvider(new MeshLoggerProvider(process.Log, service.Name));
        web.Logging.SetMinimumLevel(process.Options.LogLevel);
        var framework = process.Options.LogLevel <= LogLevel.Debug ? LogLevel.Information : LogLevel.Warning;
        foreach (var category in (string[])["Microsoft", "System", "Grpc"]) web.Logging.AddFilter(category, framework);
        foreach (var shared in process.Shared) services.Add(shared);
        services.AddSingleton(process.Time);
        services.AddSingleton(process.Network);
        services.AddMeshMetrics();
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.Configure<HostOptions>(options => options.ShutdownTimeout = process.Options.ShutdownTimeout);

        var builder = new MeshServiceBuilder(service.Name, services, process);
        try
        {
            service.Configure(builder);
        }
        catch (SettingsException) when (process.Settings.HelpRequested)
        {
            // A setting that must be given and is not: the help is how to find out.
        }

        return builder.NeedsWeb ? BuildWeb(web, builder, process) : BuildPlain(web, builder);
    }

    /// <summary>Starts; <paramref name="crashed"/> is called when it stops without having been asked to.</summary>
    public async Task StartAsync(Action<string> crashed, CancellationToken cancellationToken)
    {
        await _host.StartAsync(cancellationToken);
        var lifetime = _host.Services.GetRequiredService<IHostApplicationLifetime>();
        lifetime.ApplicationStopping.Register(() =>
        {
            if (!_stopping) crashed(Name);
        });
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        await _host.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        if (_host is IAsyncDisposable asyncHost) await asyncHost.DisposeAsync();
        else _host.Dispose();
    }

    private static ServiceInstance BuildWeb(WebApplicationBuilder web, MeshServiceBuilder builder, MeshProcess process)
    {
        web.WebHost.UseKestrelCore();
        if (builder.Listeners.Any(l => l.Address.Scheme == MeshScheme.Https)) web.WebHost.UseKestrelHttpsConfiguration();
        web.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseMeshLimits();
            foreach (var (address, options) in builder.Listeners) kestrel.ListenMesh(address, options);
        });
        web.Services.AddRoutingCore();
        web.Services.AddInProcTransport(process.Network);
        var app = web.Build();
        foreach (var configure in builder.App) configure(app);
        if (builder.MapDefaultEndpoints)
        {
            app.MapMeshHealth(builder.Health, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Mesh.Health"));
            app.MapMeshMetrics();
        }
        return new ServiceInstance(builder.Name, app, [.. builder.Listeners.Select(l => l.Address)], builder.Settings);
    }

    /// <summary>Without a listener there is no server to start, only the workers.</summary>
    private static ServiceInstance BuildPlain(WebApplicationBuilder web, MeshServiceBuilder builder)
    {
        web.Services.AddSingleton<IServer, NoServer>();
        web.Services.AddRoutingCore();
        return new ServiceInstance(builder.Name, web.Build(), [], builder.Settings);
    }
}

/// <summary>Signals are the process's business.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>The server of a service that listens nowhere.</summary>
internal sealed class NoServer : IServer
{
    public Microsoft.AspNetCore.Http.Features.IFeatureCollection Features { get; } = new Microsoft.AspNetCore.Http.Features.FeatureCollection();

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
}
