using Mesh.Api;

namespace Mesh.Client;

/// <summary>Reads the informer's cache. Objects are shared: never change one, Clone() it first.</summary>
public interface ILister<T>
    where T : class, IKubeObject<T>
{
    /// <summary>The object, or null. Namespace is null for cluster-scoped kinds.</summary>
    T? Get(string? ns, string name);

    /// <summary>Every object, of one namespace or of all (null).</summary>
    IReadOnlyCollection<T> List(string? ns = null);

    /// <summary>The objects an index function (added by <see cref="IInformer{T}.AddIndex"/>) filed under the value.</summary>
    IReadOnlyCollection<T> ByIndex(string index, string value);
}

/// <summary>
/// A cache of one resource kept true by list and watch. Handlers run one at a time, in order, on the informer's own loop:
/// they enqueue keys and return. After a lost watch the informer relists and hands out the differences.
/// </summary>
public interface IInformer<T>
    where T : class, IKubeObject<T>
{
    /// <summary>The cache.</summary>
    ILister<T> Lister { get; }

    /// <summary>Completes when the first full list is in the cache and handed to the handlers.</summary>
    Task Synced { get; }

    /// <summary>Files every object under the values the function gives; call before the informer starts.</summary>
    void AddIndex(string name, Func<T, IEnumerable<string>> values);

    /// <summary>Called as (old, new): (null, x) added, (x, y) changed, (x, null) deleted. Late handlers see the present objects as added.</summary>
    void AddHandler(Action<T?, T?> handler);
}

/// <summary>One shared informer a kind; started together. Field selector narrows a kind (the node agent watches its own pods).</summary>
public interface IInformerFactory
{
    /// <summary>The informer of a kind; the same instance for the same kind, selectors and namespace (null: all).</summary>
    IInformer<T> For<T>(string? fieldSelector = null, string? labelSelector = null, string? ns = null)
        where T : class, IKubeObject<T>;

    /// <summary>Runs every informer asked for (also later ones) until cancelled.</summary>
    Task RunAsync(CancellationToken ct);

    /// <summary>Completes when all informers asked for so far have synced.</summary>
    Task WaitForSyncAsync(CancellationToken ct);
}
