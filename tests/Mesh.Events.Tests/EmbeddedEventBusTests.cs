using Xunit;

namespace Mesh.Events.Tests;

public sealed class EmbeddedEventBusTests : EventBusContract
{
    [Fact]
    public async Task A_reader_that_is_too_late_is_told_of_the_gap()
    {
        await using var bus = new EmbeddedEventBus(new EmbeddedEventBusOptions { EventsPerPartition = 100 });
        await bus.EnsureTopicAsync("t", 1);
        var gaps = new List<EventGap>();
        await using var consumer = await bus.SubscribeAsync(new EventSubscription { Group = "g", Topics = ["t"], Gap = gaps.Add });
        for (var i = 0; i < 250; i++) await bus.PublishAsync("t", "k", Bytes(i));
        Assert.Equal(Enumerable.Range(150, 100), (await ReadAsync(consumer, 100)).Select(Number));
        Assert.Equal(new EventGap(new TopicPartition("t", 0), 0, 150), Assert.Single(gaps));
    }

    [Fact]
    public async Task Unknown_topics_are_refused()
    {
        await Assert.ThrowsAsync<EventBusException>(async () => await Bus.PublishAsync("none", "k", Bytes(1)));
        await Assert.ThrowsAsync<EventBusException>(async () => await Bus.SubscribeAsync(new EventSubscription { Group = "g", Topics = ["none"] }));
    }

    [Fact]
    public async Task Concurrent_joins_and_leaves_lose_no_committed_progress_and_no_event()
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        using var stop = new CancellationTokenSource();
        var workers = Enumerable.Range(0, 6).Select(w => Task.Run(async () =>
        {
            var random = new Random(w);
            while (!stop.IsCancellationRequested)
            {
                await using var consumer = await SubscribeAsync("churn");
                try
                {
                    for (var life = random.Next(1, 30); life > 0; life--)
                    {
                        foreach (var record in await consumer.ReadAsync(10, stop.Token))
                        {
                            seen.AddOrUpdate(Number(record), 1, (_, n) => n + 1);
                            await consumer.CommitAsync(record.Position);
                        }
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        })).ToArray();
        for (var i = 0; i < 3000; i++) await Bus.PublishAsync(Topic, "key-" + i, Bytes(i));
        await WaitAsync(() => seen.Count == 3000);
        stop.Cancel();
        await Task.WhenAll(workers);
        Assert.Equal(3000, seen.Count);
    }

    protected override Task<IEventBus> CreateBusAsync() => Task.FromResult<IEventBus>(new EmbeddedEventBus());
}
