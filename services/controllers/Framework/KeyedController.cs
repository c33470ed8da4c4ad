using Mesh.Api;
using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers.Framework;

/// <summary>A controller with one work queue of object keys: handlers enqueue, workers reconcile.</summary>
internal abstract class KeyedController : IController, IDisposable
{
    private readonly List<Task> _synced = [];
    private readonly List<Func<IEnumerable<ObjectKey>>> _keys = [];
    private readonly ReconcileLoop<ObjectKey> _loop;

    protected KeyedController(ControllerContext context, string name, string queueName)
    {
        Context = context;
        Name = name;
        Logger = context.Loggers.CreateLogger("Mesh.Controllers." + name);
        Queue = new WorkQueue<ObjectKey>(queueName, context.Time, metrics: context.Metrics);
        _loop = new ReconcileLoop<ObjectKey>(Queue, ReconcileAsync, context.Options.Concurrency, Logger);
    }

    public string Name { get; }

    protected ControllerContext Context { get; }

    protected IKubeClient Client => Context.Client;

    protected ILogger Logger { get; }

    internal WorkQueue<ObjectKey> Queue { get; }

    public async Task RunAsync(CancellationToken ct)
    {
        await SyncedAsync(ct).ConfigureAwait(false);
        Context.Ownership.Changed += EnqueueAll;
        try
        {
            await _loop.RunAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            Context.Ownership.Changed -= EnqueueAll;
        }
    }

    public virtual void Dispose() => Queue.Dispose();

    /// <summary>Completes when every informer this controller reads is full: deciding on half a cache would be wrong.</summary>
    internal Task SyncedAsync(CancellationToken ct) => Task.WhenAll(_synced).WaitAsync(ct);

    /// <summary>Works off what is queued now; tests drive controllers with it.</summary>
    internal Task DrainAsync(CancellationToken ct = default) => _loop.DrainAsync(ct);

    protected abstract Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct);

    /// <summary>The informer of a kind, waited for before work starts.</summary>
    protected IInformer<T> Watch<T>(string? fieldSelector = null, string? labelSelector = null)
        where T : class, IKubeObject<T>
    {
        var informer = Context.Informers.For<T>(fieldSelector, labelSelector);
        _synced.Add(informer.Synced);
        return informer;
    }

    /// <summary>The informer of the kind whose keys are reconciled: every change enqueues the key.</summary>
    protected IInformer<T> WatchPrimary<T>(Func<T, bool>? where = null)
        where T : class, IKubeObject<T>
    {
        var informer = Watch<T>();
        informer.AddHandler((old, now) =>
        {
            if (where is null || where(now ?? old!)) Enqueue(ObjectKey.Of(now ?? old!));
        });
        _keys.Add(() => informer.Lister.List().Where(o => where is null || where(o)).Select(o => ObjectKey.Of(o)));
        return informer;
    }

    protected void Enqueue(ObjectKey key)
    {
        if (Context.Ownership.Owns(OwnershipOf(key))) Queue.Add(key);
    }

    /// <summary>The key that says whose work this is; a controller that must be single in the cluster gives one for all.</summary>
    protected virtual ObjectKey OwnershipOf(ObjectKey key) => key;

    private void EnqueueAll()
    {
        foreach (var key in _keys.SelectMany(k => k())) Enqueue(key);
    }
}
