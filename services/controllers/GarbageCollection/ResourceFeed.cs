using Mesh.Api;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.Controllers.GarbageCollection;

/// <summary>Feeds one resource's metadata to the collector: list, watch, and again after losses.</summary>
internal sealed class ResourceFeed(
    ApiResource resource, IKubeClient client, Action<ObjectMeta, bool> changed, Action<IReadOnlySet<string>> replaced, TimeProvider time, ILogger logger)
{
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task Synced => _synced.Task;

    internal async Task RunAsync(CancellationToken ct)
    {
        string? revision = null;
        var delay = TimeSpan.FromMilliseconds(200);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                revision ??= await ListAsync(ct).ConfigureAwait(false);
                await foreach (var e in client.WatchRawAsync(resource, new ListQuery(ResourceVersion: revision), sendInitialEvents: false, ct).ConfigureAwait(false))
                {
                    if (e.Object is { } bytes && e.Type != WatchEventType.Bookmark) changed(Head(bytes), e.Type == WatchEventType.Deleted);
                    if (!string.IsNullOrEmpty(e.ResourceVersion)) revision = e.ResourceVersion;
                    delay = TimeSpan.FromMilliseconds(200);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (ApiException e) when (e.IsExpired && revision is not null)
            {
                revision = null;
            }
            catch (ApiException e) when (e.Code is 404 or 405 && revision is null)
            {
                // Not served here: nothing to collect. Looked at again now and then, it may be served later.
                _synced.TrySetResult();
                await Task.Delay(TimeSpan.FromMinutes(1), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e)
            {
                GcLog.FeedBroke(logger, resource.QualifiedName, e.Message);
                await Task.Delay(delay * (1 + Random.Shared.NextDouble()), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 > TimeSpan.FromSeconds(10) ? TimeSpan.FromSeconds(10) : delay * 2;
            }
        }
    }

    private async Task<string> ListAsync(CancellationToken ct)
    {
        var query = new ListQuery(Limit: 500);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            var page = await client.ListRawAsync(resource, query, ct).ConfigureAwait(false);
            foreach (var item in page.Items)
            {
                var head = Head(item.Span);
                if (head.Uid is { } uid) seen.Add(uid);
                changed(head, false);
            }

            if (page.Continue is null)
            {
                replaced(seen);
                _synced.TrySetResult();
                return page.ResourceVersion;
            }

            query = query with { Continue = page.Continue };
        }
    }

    private static ObjectMeta Head(ReadOnlySpan<byte> json) => KubeJson.Deserialize<PartialObjectMetadata>(json).Metadata;
}

/// <summary>Log messages of the garbage collector.</summary>
internal static partial class GcLog
{
    [LoggerMessage(1, LogLevel.Information, "Feed of {Resource} broke: {Reason}")]
    internal static partial void FeedBroke(ILogger logger, string resource, string reason);

    [LoggerMessage(2, LogLevel.Debug, "Garbage: {Resource} {Namespace}/{Name}, {Action}")]
    internal static partial void Acting(ILogger logger, string resource, string? @namespace, string name, string action);
}
