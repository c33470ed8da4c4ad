using System.Runtime.InteropServices;
using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting;

/// <summary>
/// A process of one or more services, each with its own container and its own start and stop. See README.md.
/// </summary>
public sealed class MeshHost : IAsyncDisposable
{
    private readonly MeshProcess _process;
    private readonly SettingsSection _root;
    private readonly List<Slot> _slots = [];
    private readonly SemaphoreSlim _lifecycle = new(1, 1);
    private readonly TaskCompletionSource<string> _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _log;
    private readonly IDisposable? _tracing;

    internal MeshHost(MeshProcess process, SettingsSection root, IReadOnlyList<IMeshService> services)
    {
        _process = process;
        _root = root;
        _log = new MeshLoggerProvider(process.Log, "").CreateLogger("Mesh.Hosting");
        foreach (var service in services) _slots.Add(new Slot(service, ServiceInstance.Build(service, process)));
        if (!process.Settings.HelpRequested && process.Settings.UnusedFlags().FirstOrDefault() is { } unknown)
            throw new SettingsException($"unknown flag: {unknown}");
        foreach (var setting in process.Settings.UnknownDefaults()) Log.UnknownDefault(_log, setting);
        foreach (var name in process.Settings.UnusedFileNames()) Log.UnusedFileName(_log, name);
        _tracing = StartTracing(process);
    }

    /// <summary>Names of the services, in start order.</summary>
    public IReadOnlyList<string> Services => [.. _slots.Select(s => s.Service.Name)];

    /// <summary>The in-memory network of the process.</summary>
    public InProcNetwork Network => _process.Network;

    /// <summary>Whether the caller asked for <c>--help</c>.</summary>
    public bool HelpRequested => _process.Settings.HelpRequested;

    /// <summary>Starts a host builder.</summary>
    public static MeshHostBuilder CreateBuilder(IReadOnlyList<string> args) => new(args);

    /// <summary>Runs services until SIGTERM or SIGINT, then stops them gracefully.</summary>
    /// <returns>The exit code: 0 stopped when asked, 1 a service failed, 2 the settings are wrong.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> args, params IMeshService[] services)
    {
        var builder = CreateBuilder(args);
        foreach (var service in services) builder.Add(service);
        return RunAsync(builder);
    }

    /// <inheritdoc cref="RunAsync(IReadOnlyList{string}, IMeshService[])"/>
    public static async Task<int> RunAsync(MeshHostBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        try
        {
            await using var host = builder.Build();
            if (host.HelpRequested)
            {
                await Console.Out.WriteAsync(host.Help());
                return 0;
            }
            return await host.RunUntilSignalAsync();
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync("error: " + e.Message);
            return 2;
        }
    }

    /// <summary>The container of a running service.</summary>
    public IServiceProvider ServicesOf(string name) => Find(name).Instance?.Services ?? throw new InvalidOperationException($"{name} is stopped");

    /// <summary>Where a running service listens, with the ports it was given.</summary>
    public IReadOnlyList<MeshAddress> Addresses(string name) => Find(name).Instance?.Addresses ?? throw new InvalidOperationException($"{name} is stopped");

    /// <summary>Starts all services in order; if one fails, those already started are stopped again.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (var slot in _slots) await StartAsync(slot.Service.Name, cancellationToken);
        }
        catch
        {
            await StopAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Starts one service that is not running; after a stop it is configured anew.</summary>
    public async Task StartAsync(string name, CancellationToken cancellationToken = default)
    {
        var slot = Find(name);
        await _lifecycle.WaitAsync(cancellationToken);
        try
        {
            if (slot.Started) return;
            var began = _process.Time.GetTimestamp();
            slot.Instance ??= ServiceInstance.Build(slot.Service, _process);
            try
            {
                await slot.Instance.StartAsync(service => _crashed.TrySetResult(service), cancellationToken);
            }
            catch
            {
                await slot.Instance.DisposeAsync();
                slot.Instance = null;
                throw;
            }
            slot.Started = true;
            Log.Started(_log, name, (long)_process.Time.GetElapsedTime(began).TotalMilliseconds);
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>Stops all services in reverse order, each within the shutdown timeout.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        for (var i = _slots.Count - 1; i >= 0; i--) await StopAsync(_slots[i].Service.Name, cancellationToken);
    }

    /// <summary>Stops one service and releases what it holds.</summary>
    public async Task StopAsync(string name, CancellationToken cancellationToken = default)
    {
        var slot = Find(name);
        await _lifecycle.WaitAsync(cancellationToken);
        try
        {
            if (slot.Instance is not { } instance) return;
            if (slot.Started)
            {
                try
                {
                    await instance.StopAsync(cancellationToken);
                    Log.Stopped(_log, name);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    Log.StopFailed(_log, e, name);
                }
            }
            slot.Started = false;
            slot.Instance = null;
            await instance.DisposeAsync();
        }
        finally
        {
            _lifecycle.Release();
        }
    }

    /// <summary>The text of <c>--help</c>: every flag of the process and its services.</summary>
    public string Help() => HelpText.Write(_root, [.. _slots.Where(s => s.Instance is not null).Select(s => s.Instance!.Settings)], _process.SingleService);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _lifecycle.Dispose();
        _tracing?.Dispose();
    }

    private static IDisposable? StartTracing(MeshProcess process)
    {
        var endpoint = process.Options.OtlpEndpoint;
        if (endpoint.Length == 0 || process.Settings.HelpRequested) return null;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)) throw new SettingsException($"otlp-endpoint: \"{endpoint}\" is no absolute URL");
        return MeshTracing.Start(uri, process.ServiceName, process.Options.TraceRatio);
    }

    private async Task<int> RunUntilSignalAsync()
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnSignal(PosixSignalContext context)
        {
            // A second signal finds the default handler's way: the process ends at once.
            if (stop.TrySetResult()) context.Cancel = true;
        }
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var quiet = new QuietCollector(_process.Time);
        try
        {
            using var starting = new CancellationTokenSource();
            _ = stop.Task.ContinueWith(_ => starting.CancelAsync(), TaskScheduler.Default);
            await StartAsync(starting.Token);
        }
        catch (OperationCanceledException) when (stop.Task.IsCompleted)
        {
            return 0;
        }
        catch (SettingsException)
        {
            throw;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.StartFailed(_log, e);
            return 1;
        }
        await Task.WhenAny(stop.Task, _crashed.Task);
        var crashed = !stop.Task.IsCompleted && _crashed.Task.IsCompleted ? await _crashed.Task : null;
        if (crashed is not null) Log.Crashed(_log, crashed);
        await StopAsync(CancellationToken.None);
        return crashed is null ? 0 : 1;
    }

    private Slot Find(string name) => _slots.FirstOrDefault(s => s.Service.Name == name) ?? throw new ArgumentException($"no service \"{name}\" in this process", nameof(name));

    private sealed class Slot(IMeshService service, ServiceInstance instance)
    {
        public IMeshService Service => service;

        public ServiceInstance? Instance { get; set; } = instance;

        public bool Started { get; set; }
    }
}
