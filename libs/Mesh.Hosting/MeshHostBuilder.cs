using System.Collections;
using Mesh.Rpc;
using Mesh.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Hosting;

/// <summary>Puts services into a process.</summary>
public sealed class MeshHostBuilder
{
    private readonly IReadOnlyList<string> _args;
    private readonly List<IMeshService> _services = [];
    private readonly List<ServiceDescriptor> _shared = [];
    private readonly SettingsSource _settings = new();
    private IEnumerable<KeyValuePair<string, string>>? _environment;
    private TimeProvider _time = TimeProvider.System;
    private LogSink? _log;
    private SettingsSection? _bound;
    private bool _read;

    internal MeshHostBuilder(IReadOnlyList<string> args) => _args = args;

    /// <summary>The in-memory network of the process.</summary>
    public InProcNetwork Network { get; } = new();

    /// <summary>Adds a service; services start in the order they are added and stop in the reverse.</summary>
    public MeshHostBuilder Add(IMeshService service)
    {
        _services.Add(service);
        return this;
    }

    /// <summary>Puts one object into the container of every service (the host does not dispose it).</summary>
    public MeshHostBuilder Share<T>(T instance)
        where T : class
    {
        _shared.Add(ServiceDescriptor.Singleton(instance));
        return this;
    }

    /// <summary>Sets a default of a service's (or with an empty name the process's) setting; flags, environment and file win over it.</summary>
    public MeshHostBuilder Set(string service, string key, string value)
    {
        _settings.SetDefault(service, key, value);
        return this;
    }

    /// <summary>Binds options of the process itself (root settings: <c>--data-dir</c> without a service's name).</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public T Bind<T>()
        where T : class, new()
    {
        Read();
        _bound = new SettingsSection(_settings, "", alsoRoot: false);
        return _bound.Bind<T>();
    }

    /// <summary>Whether the caller asked for <c>--help</c>; known once something is bound.</summary>
    public bool HelpRequested => _settings.HelpRequested;

    /// <summary>The help of a command that runs no service: the options bound last.</summary>
    public string Help() => HelpText.Write(_bound ?? new SettingsSection(_settings, "", alsoRoot: false), [], single: true);

    /// <summary>Refuses flags that nothing has been bound to; for commands that run no service (<see cref="Build"/> does it by itself).</summary>
    /// <exception cref="SettingsException">There is such a flag.</exception>
    public void RefuseUnknownFlags()
    {
        if (_settings.UnusedFlags().FirstOrDefault() is { } unknown) throw new SettingsException($"unknown flag: {unknown}");
    }

    /// <summary>Takes these variables in place of the process's.</summary>
    public MeshHostBuilder UseEnvironment(IEnumerable<KeyValuePair<string, string>> variables)
    {
        _environment = variables;
        return this;
    }

    /// <summary>Logs here in place of standard error.</summary>
    public MeshHostBuilder UseLog(LogSink log)
    {
        _log = log;
        return this;
    }

    /// <summary>Takes this clock.</summary>
    public MeshHostBuilder UseTime(TimeProvider time)
    {
        _time = time;
        return this;
    }

    /// <summary>Configures every service and checks all settings; starts nothing.</summary>
    /// <exception cref="SettingsException">A setting is wrong or unknown.</exception>
    public MeshHost Build()
    {
        Read();
        var root = new SettingsSection(_settings, "", alsoRoot: false);
        var options = root.Bind<MeshHostOptions>();
        var process = new MeshProcess(options, _settings, _services.Count == 1 ? "mesh-" + _services[0].Name : "mesh", _services.Count == 1, Network, _log ?? LogSink.StandardError(options.LogFormat), _time, _shared);
        return new MeshHost(process, root, _services);
    }

    private void Read()
    {
        if (_read) return;
        _read = true;
        _settings.AddFlags(_args);
        _settings.AddEnvironment(_environment ?? Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(e => KeyValuePair.Create((string)e.Key, (string?)e.Value ?? "")));
        if (_settings.Find("", "config", alsoRoot: false) is not { } paths) return;
        try
        {
            using var reader = File.OpenText(paths[^1]);
            _settings.AddFile(reader, paths[^1]);
        }
        catch (IOException e)
        {
            throw new SettingsException($"config: {e.Message}");
        }
    }
}
