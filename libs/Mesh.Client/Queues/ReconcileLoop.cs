using Mesh.Api;
using Microsoft.Extensions.Logging;

namespace Mesh.Client;

/// <summary>What a reconcile asks for when it succeeded: nothing, or another look at the key after a while.</summary>
public readonly record struct ReconcileResult(TimeSpan? RequeueAfter)
{
    /// <summary>Nothing more to do until something changes.</summary>
    public static ReconcileResult Done => default;

    /// <summary>Look again after the delay.</summary>
    public static ReconcileResult After(TimeSpan delay) => new(delay);
}

/// <summary>
/// Workers that take keys from a queue and reconcile them. A failure puts the key back with back-off; success forgets its
/// failures. A conflict (409) is the everyday answer to a stale cache and is retried without noise.
/// </summary>
public sealed class ReconcileLoop<TKey>(
    WorkQueue<TKey> queue, Func<TKey, CancellationToken, Task<ReconcileResult>> reconcile, int workers, ILogger logger)
    where TKey : notnull
{
    /// <summary>Runs the workers until cancelled; then lets running reconciles end.</summary>
    public Task RunAsync(CancellationToken ct)
    {
        var tasks = new Task[Math.Max(1, workers)];
        for (var i = 0; i < tasks.Length; i++) tasks[i] = Task.Run(() => WorkAsync(ct), CancellationToken.None);
        return Task.WhenAll(tasks);
    }

    /// <summary>Takes and reconciles what is ready now, until nothing is: how tests drive a controller step by step.</summary>
    public async Task DrainAsync(CancellationToken ct = default)
    {
        while (queue.TryTake(out var key)) await OneAsync(key, ct).ConfigureAwait(false);
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var (ok, key) = await queue.TakeAsync(ct).ConfigureAwait(false);
                if (!ok) return;
                await OneAsync(key, ct).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // asked to stop
        }
    }

    private async Task OneAsync(TKey key, CancellationToken ct)
    {
        try
        {
            var result = await reconcile(key, ct).ConfigureAwait(false);
            queue.Forget(key);
            if (result.RequeueAfter is { } after) queue.AddAfter(key, after);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The key is not lost: the next start lists everything again.
        }
        catch (Exception e)
        {
            if (e is ApiException { Status.Code: 409 }) ClientLog.ReconcileConflict(logger, queue.Name, key.ToString()!, e.Message);
            else if (e is ApiException) ClientLog.ReconcileRefused(logger, queue.Name, key.ToString()!, e.Message);
            else ClientLog.ReconcileFailed(logger, e, queue.Name, key.ToString()!);
            queue.AddRateLimited(key);
        }
        finally
        {
            queue.Done(key);
        }
    }
}
