using Mesh.Api;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>Makes and runs the shared informers of one process (or one part of it).</summary>
public sealed class InformerFactory(IKubeClient client, ILoggerFactory loggers, TimeProvider? time = null, Random? random = null) : IInformerFactory
{
    private readonly ILogger _logger = loggers.CreateLogger("Mesh.Client.Informer");
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Random _random = random ?? Random.Shared;
    private readonly Lock _gate = new();
    private readonly Dictionary<(Type, ListQuery), IRunnableInformer> _informers = [];
    private readonly List<Task> _running = [];
    private CancellationToken _runToken;
    private bool _started;

    /// <inheritdoc />
    public IInformer<T> For<T>(string? fieldSelector = null, string? labelSelector = null, string? ns = null)
        where T : class, IKubeObject<T>
    {
        var scope = new ListQuery(Namespace: ns, LabelSelector: labelSelector, FieldSelector: fieldSelector);
        lock (_gate)
        {
            if (_informers.TryGetValue((typeof(T), scope), out var known)) return (IInformer<T>)known;
            var informer = new Informer<T>(client, scope, _time, _random, _logger);
            _informers[(typeof(T), scope)] = informer;
            if (_started) Start(informer);
            return informer;
        }
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            if (_started) throw new InvalidOperationException("the informers already run");
            (_started, _runToken) = (true, ct);
            foreach (var informer in _informers.Values) Start(informer);
        }

        await Task.Delay(Timeout.Infinite, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task[] running;
        lock (_gate) running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public Task WaitForSyncAsync(CancellationToken ct)
    {
        Task[] all;
        lock (_gate) all = [.. _informers.Values.Select(i => i.Synced)];
        return Task.WhenAll(all).WaitAsync(ct);
    }

    private void Start(IRunnableInformer informer) => _running.Add(Task.Run(() => informer.RunAsync(_runToken), CancellationToken.None));
}
