using System.Threading.Channels;
using Grpc.Core;
using Mesh.Events;
using Mesh.Gateway.Storage;
using Mesh.Rpc.Etcd;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway.Feed;

/// <summary>
/// Publishes every change in the store to the event bus (topic <see cref="Topic"/>). One gateway of several does: the one that owns the only
/// partition of the turn topic. At least once: after a crash on a lasting bus the last seconds are published again; revisions tell.
/// </summary>
internal sealed partial class ChangeFeed(ObjectStorage storage, IEventBus bus, TimeProvider time, ILogger<ChangeFeed> logger, FeedPosition? position = null) : BackgroundService
{
    /// <summary>The topic of the changes.</summary>
    public const string Topic = "mesh.changes";

    /// <summary>Its partitions.</summary>
    public const int Partitions = 16;

    private const string TurnTopic = "mesh.changes.turn";
    private const string Registry = "/registry/";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TakeTurnsAsync(stoppingToken);
            }
            catch (Exception e) when (stoppingToken.IsCancellationRequested && e is OperationCanceledException or RpcException)
            {
                break;
            }
            catch (Exception e) when (e is EventBusException or RpcException or IOException or FormatException)
            {
                Interrupted(logger, e is RpcException { Status: var status } ? status.Detail : e.Message);
                await Task.Delay(RetryAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Publishes while the turn is ours.</summary>
    private async Task TakeTurnsAsync(CancellationToken ct)
    {
        await bus.EnsureTopicAsync(Topic, Partitions, ct);
        await bus.EnsureTopicAsync(TurnTopic, 1, ct);
        var turns = Channel.CreateUnbounded<bool>();
        await using var turn = await bus.SubscribeAsync(
            new EventSubscription
            {
                Group = "mesh.change-feed",
                Topics = [TurnTopic],
                Start = EventStart.Latest,
                Assigned = _ => turns.Writer.TryWrite(true),
                Revoked = _ => turns.Writer.TryWrite(false),
            },
            ct);
        using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var member = StayAsync(turn, together.Token);
        Task? publishing = null;
        CancellationTokenSource? ours = null;
        try
        {
            while (true)
            {
                var next = turns.Reader.ReadAsync(ct).AsTask();
                var first = await Task.WhenAny(publishing is null ? [next, member] : [next, member, publishing]);
                if (first != next)
                {
                    await first; // why it ended
                    throw new EventBusException("the bus ended the membership");
                }

                if (await next && publishing is null)
                {
                    ours = CancellationTokenSource.CreateLinkedTokenSource(together.Token);
                    publishing = PublishAsync(ours.Token);
                }
                else if (!await next && publishing is not null)
                {
                    await ours!.CancelAsync();
                    await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    publishing = null;
                    ours.Dispose();
                }
            }
        }
        finally
        {
            await together.CancelAsync();
            await member.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (publishing is not null) await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ours?.Dispose();
        }
    }

    private static async Task StayAsync(IEventConsumer turn, CancellationToken ct)
    {
        // Reading is what keeps a member in its group; nobody writes to the topic.
        while (!ct.IsCancellationRequested) await turn.ReadAsync(1, ct);
    }

    private async Task PublishAsync(CancellationToken ct)
    {
        var after = position is null ? 0 : await position.LoadAsync(ct);
        if (after == 0) after = await storage.RevisionAsync(ct);
        Publishing(logger, Topic, after);
        var (stream, endpoint) = await storage.Client.WatchAsync(ct);
        using (stream)
        {
            try
            {
                await stream.WriteAsync(new WatchCreateCall(Registry, ObjectStorage.PrefixEnd(Registry), after + 1), ct);
                while (await stream.ReadAsync()) await PublishAsync(WatchAnswer.Read(stream.Message), ct);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
                storage.Client.MoveOn(endpoint);
                throw;
            }
            finally
            {
                if (position is not null && !ct.IsCancellationRequested) await position.SaveAsync(CancellationToken.None);
            }
        }

        throw new IOException("the store ended the watch");
    }

    private async Task PublishAsync(WatchAnswer reply, CancellationToken ct)
    {
        if (reply.Canceled)
        {
            // Compacted away while we were absent: consumers see the gap as a jump in a log that says so.
            if (reply.CompactRevision > 0)
            {
                Gap(logger, reply.CompactRevision);
                if (position is not null) await position.ReachedAsync(reply.CompactRevision, ct);
                if (position is not null) await position.SaveAsync(ct);
            }

            throw new IOException("the store cancelled the watch: " + reply.CancelReason);
        }

        // In order within an object's partition: each waits for the one before.
        var reached = 0L;
        foreach (var change in reply)
        {
            if (ChangeRecord.Of(change) is var (key, value)) await bus.PublishAsync(Topic, key, value, ct);
            reached = change.Item.ModRevision;
        }

        if (reached > 0 && position is not null) await position.ReachedAsync(reached, ct);
    }

    [LoggerMessage(1, LogLevel.Information, "publishing changes to {Topic} after revision {Revision}")]
    private static partial void Publishing(ILogger logger, string topic, long revision);

    [LoggerMessage(2, LogLevel.Warning, "the change feed is interrupted and will go on: {Reason}")]
    private static partial void Interrupted(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Error, "the change feed has a gap: changes up to revision {Revision} were compacted before they were published")]
    private static partial void Gap(ILogger logger, long revision);
}
