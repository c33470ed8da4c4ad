namespace Mesh.Controllers.Framework;

/// <summary>
/// Does many alike things in batches of 1, 2, 4, ...: when they all fail for one reason (quota), the API sees a few refusals
/// instead of hundreds.
/// </summary>
internal static class SlowStart
{
    /// <summary>Runs until all are done or a batch had a failure; gives how many succeeded and the first failure.</summary>
    internal static async Task<(int Done, Exception? Failure)> RunAsync(int count, Func<int, Task> act)
    {
        var done = 0;
        for (var batch = Math.Min(count, 1); batch > 0; batch = Math.Min(2 * batch, count - done))
        {
            var tasks = new Task[batch];
            for (var i = 0; i < batch; i++) tasks[i] = act(done + i);
            await Task.WhenAll(tasks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var succeeded = tasks.Count(t => t.IsCompletedSuccessfully);
            done += succeeded;
            if (succeeded < batch) return (done, tasks.First(t => !t.IsCompletedSuccessfully).Exception?.InnerException ?? new OperationCanceledException());
        }

        return (done, null);
    }
}
