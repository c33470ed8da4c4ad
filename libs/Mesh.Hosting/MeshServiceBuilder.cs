using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Hosting;

/// <summary>
/// What a service says about itself. Each service has a container of its own; from the process it is given the clock, loggers, the in-memory
/// network, and whatever the host shares (<see cref="MeshHostBuilder.Share{T}"/>).
/// </summary>
public sealed class MeshServiceBuilder
{
    private readonly List<(MeshAddress Address, MeshListenOptions? Options)> _listeners = [];
    private readonly List<Action<WebApplication>> _app = [];

    internal MeshServiceBuilder(string name, IServiceCollection services, MeshProcess process)
    {
        Name = name;
        Services = services;
        Process = process;
        Settings = new SettingsSection(process.Settings, name, process.SingleService);
        services.AddSingleton(Health);
    }

    /// <summary>Name of the service.</summary>
    public string Name { get; }

    /// <summary>The container of this service.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The settings of this service; usually through <see cref="Bind{T}"/>.</summary>
    public SettingsSection Settings { get; }

    /// <summary>The checks behind <c>/healthz</c>, <c>/livez</c> and <c>/readyz</c>; also in the container.</summary>
    public HealthRegistry Health { get; } = new();

    /// <summary>The in-memory network of the process, for <c>inproc://</c> addresses.</summary>
    public InProcNetwork Network => Process.Network;

    /// <summary>The clock of the process.</summary>
    public TimeProvider Time => Process.Time;

    /// <summary>Whether <c>/healthz</c>, <c>/livez</c>, <c>/readyz</c> and <c>/metrics</c> are mapped on every listener; a service that guards them itself says no.</summary>
    public bool MapDefaultEndpoints { get; set; } = true;

    internal MeshProcess Process { get; }

    internal IReadOnlyList<(MeshAddress Address, MeshListenOptions? Options)> Listeners => _listeners;

    internal IReadOnlyList<Action<WebApplication>> App => _app;

    internal bool NeedsWeb => _listeners.Count > 0 || _app.Count > 0;

    /// <summary>Binds an options class to flags, environment and file, and registers it. See <see cref="SettingsSection.Bind{T}"/>.</summary>
    public T Bind<T>()
        where T : class, new()
    {
        var options = Settings.Bind<T>();
        Services.AddSingleton(options);
        return options;
    }

    /// <summary>Listens on an address (see <see cref="MeshAddress"/>); port 0 takes a free one, found by <see cref="MeshHost.Addresses"/>.</summary>
    /// <exception cref="SettingsException">The address is malformed.</exception>
    public void Listen(string address, MeshListenOptions? options = null)
    {
        try
        {
            _listeners.Add((MeshAddress.Parse(address), options));
        }
        catch (FormatException e)
        {
            throw new SettingsException($"{Name}: {e.Message}");
        }
    }

    /// <summary>Adds middleware and routes; runs once the container is built, in the order of the calls.</summary>
    public void UseApp(Action<WebApplication> configure) => _app.Add(configure);

    /// <summary>Serves a gRPC service (adds gRPC itself on first use).</summary>
    public void MapGrpc<TService>()
        where TService : class
    {
        if (!Services.Any(s => s.ServiceType == typeof(GrpcMarker)))
        {
            Services.AddSingleton<GrpcMarker>();
            Services.AddMeshRpc();
        }
        UseApp(static app => app.MapGrpcService<TService>());
    }

    /// <summary>Runs a worker from start to stop.</summary>
    public void AddWorker<TWorker>()
        where TWorker : class, IHostedService => Services.AddHostedService<TWorker>();

    /// <summary>Client options with what the process knows: the in-memory network.</summary>
    public MeshChannelOptions ChannelOptions() => new() { Network = Network };

    private sealed class GrpcMarker;
}
