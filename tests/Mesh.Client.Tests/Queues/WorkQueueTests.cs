using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using Mesh.Client.Testing;
using Mesh.Telemetry;
using Mesh.Testing;
using Xunit;

namespace Mesh.Client.Tests.Queues;

public sealed class WorkQueueTests
{
    private readonly ManualTime _time = new();

    private WorkQueue<string> Queue() => new("test", _time);

    [Fact]
    public void A_key_waits_once_however_often_it_is_added()
    {
        using var queue = Queue();
        queue.Add("a");
        queue.Add("b");
        queue.Add("a");
        Assert.Equal(2, queue.Count);
        Assert.True(queue.TryTake(out var first));
        Assert.True(queue.TryTake(out var second));
        Assert.False(queue.TryTake(out _));
        Assert.Equal(["a", "b"], [first, second]);
    }

    [Fact, Compatibility(17)]
    public void Every_name_that_dashboards_read_is_served()
    {
        using var registry = new MetricsRegistry(_time, withProcess: false);
        using var queue = new WorkQueue<string>("test", _time, metrics: new WorkQueueMetrics(registry.Create(new MeterOptions("test"))));
        queue.Add("a");
        queue.Add("b");
        Assert.True(queue.TryTake(out _));
        var output = new ArrayBufferWriter<byte>();
        registry.Write(output);
        var text = "\n" + Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.All(DashboardMetrics.Of("kube-controller-manager"), name => Assert.True(DashboardMetrics.Serves(text, name), name));
        Assert.Contains("workqueue_depth{name=\"test\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_in_work_is_not_handed_out_again_until_done()
    {
        using var queue = Queue();
        queue.Add("a");
        Assert.True(queue.TryTake(out _));
        queue.Add("a");
        Assert.False(queue.TryTake(out _));
        queue.Done("a");
        Assert.True(queue.TryTake(out var again));
        Assert.Equal("a", again);
        queue.Done("a");
        Assert.False(queue.TryTake(out _));
    }

    [Fact]
    public void A_delayed_key_comes_when_its_time_has_come_and_the_earliest_wins()
    {
        using var queue = Queue();
        queue.AddAfter("a", TimeSpan.FromSeconds(10));
        queue.AddAfter("a", TimeSpan.FromSeconds(2));
        queue.AddAfter("a", TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, queue.Count);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(queue.TryTake(out _));
        queue.Done("a");
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void Failures_double_the_wait_and_forgetting_starts_short_again()
    {
        using var queue = new WorkQueue<string>("test", _time, new ItemBackoff<string>());
        foreach (var ms in new[] { 5, 10, 20, 40 })
        {
            queue.AddRateLimited("a");
            _time.Advance(TimeSpan.FromMilliseconds(ms - 1));
            Assert.Equal(0, queue.Count);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(queue.TryTake(out _));
            queue.Done("a");
        }

        Assert.Equal(4, queue.Failures("a"));
        queue.Forget("a");
        Assert.Equal(0, queue.Failures("a"));
    }

    [Fact]
    public void The_wait_of_a_key_never_passes_the_maximum()
    {
        var limiter = new ItemBackoff<string>();
        TimeSpan last = default;
        for (var i = 0; i < 200; i++) last = limiter.When("a");
        Assert.Equal(TimeSpan.FromSeconds(1000), last);
    }

    [Fact]
    public void The_overall_rate_spaces_keys_past_the_burst()
    {
        var limiter = new ControllerRateLimiter<int>(_time, perSecond: 10, burst: 100);
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.FromMilliseconds(5), limiter.When(i));
        Assert.Equal(TimeSpan.FromMilliseconds(100), limiter.When(1000));
        Assert.Equal(TimeSpan.FromMilliseconds(200), limiter.When(1001));
    }

    [Fact]
    public async Task Shutting_down_ends_every_waiting_taker_after_what_is_ready()
    {
        using var queue = Queue();
        queue.Add("last");
        var takers = Enumerable.Range(0, 3).Select(_ => queue.TakeAsync().AsTask()).ToList();
        queue.ShutDown();
        queue.Add("late");
        var results = await Task.WhenAll(takers).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("last", Assert.Single(results, r => r.Ok).Key);
    }

    [Fact]
    public async Task Workers_never_hold_the_same_key_at_once()
    {
        using var queue = new WorkQueue<int>("test");
        var (held, handled, collisions) = (new int[10], 0, 0);
        using var stop = new CancellationTokenSource();
        var loop = new ReconcileLoop<int>(
            queue,
            async (key, _) =>
            {
                if (Interlocked.Increment(ref held[key]) > 1) Interlocked.Increment(ref collisions);
                await Task.Yield();
                Interlocked.Decrement(ref held[key]);
                Interlocked.Increment(ref handled);
                return ReconcileResult.Done;
            },
            4,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var running = loop.RunAsync(stop.Token);
        for (var i = 0; i < 5000; i++) queue.Add(i % 10);
        await Eventually.TrueAsync(() => queue.Count == 0 && handled >= 10, "all keys handled");
        await stop.CancelAsync();
        await running;
        Assert.Equal(0, collisions);
    }

    [Fact]
    public async Task A_failed_reconcile_is_tried_again()
    {
        using var queue = Queue();
        var tries = 0;
        var loop = new ReconcileLoop<string>(
            queue,
            (_, _) => ++tries < 3 ? throw new InvalidOperationException("not yet") : Task.FromResult(ReconcileResult.Done),
            1,
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        queue.Add("a");
        for (var i = 0; i < 3; i++)
        {
            await loop.DrainAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(3, tries);
        Assert.Equal(0, queue.Failures("a"));
    }
}
