using System.Text;
using Xunit;

namespace Mesh.Events.Tests;

/// <summary>What every driver of <see cref="IEventBus"/> does. A driver's test class makes the bus; each test has topics and groups of its own.</summary>
public abstract class EventBusContract : IAsyncLifetime
{
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];
    private IEventBus? _bus;

    protected IEventBus Bus => _bus!;

    protected string Topic => "changes-" + _suffix;

    private string Group => "group-" + _suffix;

    public async Task InitializeAsync()
    {
        _bus = await CreateBusAsync();
        await _bus.EnsureTopicAsync(Topic, 4);
    }

    public async Task DisposeAsync()
    {
        if (_bus is not null) await _bus.DisposeAsync();
    }

    [Fact]
    public async Task A_key_keeps_its_partition_and_order()
    {
        await using var consumer = await SubscribeAsync(Group);
        for (var i = 0; i < 100; i++)
        {
            var at = await Bus.PublishAsync(Topic, "key-" + (i % 10), Bytes(i));
            Assert.Equal(EventPartitioner.PartitionOf("key-" + (i % 10), 4), at.Partition.Partition);
        }
        var records = await ReadAsync(consumer, 100);
        foreach (var key in records.GroupBy(r => r.Key))
        {
            Assert.Single(key.Select(r => r.Position.Partition).Distinct());
            Assert.Equal(key.Select(Number).Order(), key.Select(Number));
        }
        Assert.Equal(Enumerable.Range(0, 100), records.Select(Number).Order());
    }

    [Fact]
    public async Task Keys_and_values_are_bytes_as_published()
    {
        await using var consumer = await SubscribeAsync(Group);
        byte[] value = [0, 255, 128, 10, 13, 0];
        await Bus.PublishAsync(Topic, "näme/späce", value);
        await Bus.PublishAsync(Topic, "empty", ReadOnlyMemory<byte>.Empty);
        var records = await ReadAsync(consumer, 2);
        Assert.Equal(value, records.Single(r => r.Key == "näme/späce").Value.ToArray());
        Assert.Equal(0, records.Single(r => r.Key == "empty").Value.Length);
    }

    [Fact]
    public async Task Members_of_a_group_divide_the_partitions()
    {
        await using var a = await SubscribeAsync(Group);
        await using var b = await SubscribeAsync(Group);
        await StableAsync(a, b);
        Assert.Equal(2, a.Assignment.Count);
        Assert.Equal(2, b.Assignment.Count);
    }

    [Fact]
    public async Task A_partition_never_has_two_owners()
    {
        var owners = new OwnerLedger();
        await using var a = await SubscribeAsync(Group, owners.Member("a"));
        await WaitAsync(() => a.Assignment.Count == 4);
        await using var b = await SubscribeAsync(Group, owners.Member("b"));
        await using var c = await SubscribeAsync(Group, owners.Member("c"));
        await StableAsync(a, b, c);
        await b.DisposeAsync();
        await StableAsync(a, c);
        Assert.Empty(owners.Violations);
    }

    [Fact]
    public async Task A_member_that_leaves_is_succeeded_from_the_last_commit()
    {
        for (var i = 0; i < 40; i++) await Bus.PublishAsync(Topic, "key-" + i, Bytes(i));
        var a = await SubscribeAsync(Group);
        var seen = await ReadAsync(a, 40);
        var done = seen.Where(r => r.Position.Partition.Partition < 2).ToList();
        foreach (var last in done.GroupBy(r => r.Position.Partition).Select(g => g.MaxBy(r => r.Position.Offset)))
            Assert.True(await a.CommitAsync(last.Position));
        await a.DisposeAsync();

        await using var b = await SubscribeAsync(Group);
        var again = await ReadAsync(b, 40 - done.Count);
        Assert.Equal(Enumerable.Range(0, 40).Except(done.Select(Number)), again.Select(Number).Order());
    }

    [Fact]
    public async Task Groups_read_independently()
    {
        for (var i = 0; i < 10; i++) await Bus.PublishAsync(Topic, "key-" + i, Bytes(i));
        await using var a = await SubscribeAsync(Group);
        await using var b = await SubscribeAsync(Group + "-other");
        Assert.Equal(Enumerable.Range(0, 10), (await ReadAsync(a, 10)).Select(Number).Order());
        Assert.Equal(Enumerable.Range(0, 10), (await ReadAsync(b, 10)).Select(Number).Order());
    }

    [Fact]
    public async Task Latest_starts_with_what_is_published_after()
    {
        await Bus.PublishAsync(Topic, "old", Bytes(1));
        await using var consumer = await SubscribeAsync(Group, start: EventStart.Latest);
        await WaitAsync(() => consumer.Assignment.Count == 4);
        // The start position is resolved some time after the assignment: publish until one arrives, none of them may be the old one.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var read = consumer.ReadAsync(100, deadline.Token).AsTask();
        while (!read.IsCompleted)
        {
            await Bus.PublishAsync(Topic, "new", Bytes(2));
            await Task.WhenAny(read, Task.Delay(50));
        }
        Assert.All(await read, r => Assert.Equal("new", r.Key));
    }

    [Fact]
    public async Task Commit_of_a_partition_one_does_not_own_is_refused()
    {
        await Bus.PublishAsync(Topic, "key", Bytes(1));
        var a = await SubscribeAsync(Group);
        var record = Assert.Single(await ReadAsync(a, 1));
        await a.DisposeAsync();
        await using var b = await SubscribeAsync(Group);
        await WaitAsync(() => b.Assignment.Count == 4);
        await using var c = await SubscribeAsync(Group);
        await StableAsync(b, c);
        var stranger = b.Assignment.Contains(record.Position.Partition) ? c : b;
        Assert.False(await stranger.CommitAsync(record.Position));
    }

    [Fact]
    public async Task Topics_keep_their_number_of_partitions()
    {
        await Bus.EnsureTopicAsync(Topic, 4);
        Assert.Equal(4, await Bus.GetPartitionCountAsync(Topic));
        await Assert.ThrowsAsync<EventBusException>(async () => await Bus.EnsureTopicAsync(Topic, 5));
    }

    [Fact]
    public async Task A_waiting_read_is_cancelled()
    {
        await using var consumer = await SubscribeAsync(Group);
        using var stop = new CancellationTokenSource();
        var read = consumer.ReadAsync(1, stop.Token).AsTask();
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    protected abstract Task<IEventBus> CreateBusAsync();

    protected static ReadOnlyMemory<byte> Bytes(int number) => Encoding.ASCII.GetBytes(number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    protected static int Number(EventRecord record) => int.Parse(Encoding.ASCII.GetString(record.Value.Span), System.Globalization.CultureInfo.InvariantCulture);

    protected static async Task WaitAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition()) await Task.Delay(20, deadline.Token);
    }

    protected static async Task<List<EventRecord>> ReadAsync(IEventConsumer consumer, int count)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var records = new List<EventRecord>();
        while (records.Count < count) records.AddRange(await consumer.ReadAsync(count - records.Count, deadline.Token));
        return records;
    }

    protected async Task<IEventConsumer> SubscribeAsync(string group, OwnerLedger.Recorder? recorder = null, EventStart start = EventStart.Earliest) =>
        await Bus.SubscribeAsync(new EventSubscription
        {
            Group = group,
            Topics = [Topic],
            Start = start,
            Assigned = recorder is null ? null : recorder.Assigned,
            Revoked = recorder is null ? null : recorder.Revoked,
        });

    private Task StableAsync(params IEventConsumer[] consumers) => WaitAsync(() =>
        consumers.All(c => c.Assignment.Count > 0)
        && consumers.SelectMany(c => c.Assignment).Distinct().Count() == 4
        && consumers.Sum(c => c.Assignment.Count) == 4);
}
