using Xunit;

namespace Mesh.Events.Tests;

/// <summary>The contract on Kafka's protocol over real sockets, and what only a cluster can do.</summary>
public sealed class KafkaEventBusTests(KafkaCluster cluster) : EventBusContract, IClassFixture<KafkaCluster>
{
    [Fact]
    public async Task Brokers_that_die_and_return_lose_nothing()
    {
        await using var consumer = await SubscribeAsync("survivor-" + Topic);
        for (var i = 0; i < 20; i++) await Bus.PublishAsync(Topic, "key-" + i, Bytes(i));
        cluster.Tell("down 2");
        try
        {
            var publishing = Task.WhenAll(Enumerable.Range(20, 20).Select(i => Bus.PublishAsync(Topic, "key-" + i, Bytes(i)).AsTask()));
            await Task.Delay(500);
            cluster.Tell("up 2");
            await publishing;
        }
        finally
        {
            cluster.Tell("up 2");
        }
        var seen = await ReadAsync(consumer, 40);
        Assert.Equal(Enumerable.Range(0, 40), seen.Select(Number).Order());
    }

    [Fact]
    public async Task Unreachable_brokers_are_an_error_not_a_hang()
    {
        await using var bus = new KafkaEventBus(new KafkaEventBusOptions { Brokers = "127.0.0.1:1", RequestTimeout = TimeSpan.FromSeconds(2) });
        await Assert.ThrowsAsync<EventBusException>(async () => await bus.PublishAsync("t", "k", Bytes(1)));
    }

    protected override Task<IEventBus> CreateBusAsync() =>
        Task.FromResult<IEventBus>(new KafkaEventBus(new KafkaEventBusOptions { Brokers = cluster.Brokers, SessionTimeout = TimeSpan.FromSeconds(6) }));
}
