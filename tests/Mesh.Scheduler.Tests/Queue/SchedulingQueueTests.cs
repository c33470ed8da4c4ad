using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Scheduler.Queue;

namespace Mesh.Scheduler.Tests.Queue;

public sealed class SchedulingQueueTests
{
    private readonly TestTime _time = new();
    private readonly SchedulingQueue _queue;

    public SchedulingQueueTests() => _queue = new SchedulingQueue(_time);

    private string[] Pop() => [.. _queue.PopRun(10).Select(p => p.Key.Name)];

    private void Pass(double seconds) => _time.Now += TimeSpan.FromSeconds(seconds);

    [Fact]
    public void Priority_first_then_age_and_like_pods_together()
    {
        _queue.Set(Build.Pod("low", "1"));
        Pass(1);
        _queue.Set(Build.Pod("high", "1", change: p => p.Spec!.Priority = 10));
        Pass(1);
        _queue.Set(Build.Pod("low2", "1"));
        Pass(1);
        _queue.Set(Build.Pod("other", "2"));
        Assert.Equal(["high"], Pop());
        Assert.Equal(["low", "low2"], Pop());
        Assert.Equal(["other"], Pop());
        Assert.Empty(Pop());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(4, 8)]
    [InlineData(5, 10)]
    [InlineData(50, 10)]
    public void Backoff_doubles_to_ten_seconds(int attempts, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), SchedulingQueue.Backoff(attempts));

    [Fact]
    public void A_pod_that_fits_nowhere_waits_for_a_change_and_its_backoff()
    {
        _queue.Set(Build.Pod("p"));
        var pod = Assert.Single(_queue.PopRun(1));
        _queue.Unschedulable(pod);
        Pass(60);
        Assert.Empty(Pop());
        _queue.MoveAll();
        Assert.Equal(["p"], Pop());

        _queue.Unschedulable(pod);
        _queue.MoveAll();
        Assert.Empty(Pop());
        Pass(2);
        Assert.Equal(["p"], Pop());
    }

    [Fact]
    public void A_change_during_the_try_counts()
    {
        _queue.Set(Build.Pod("p"));
        var pod = Assert.Single(_queue.PopRun(1));
        _queue.MoveAll();
        _queue.Unschedulable(pod);
        Assert.Equal(1, _queue.Count(QueuePart.Backoff));
        Pass(1);
        Assert.Equal(["p"], Pop());
    }

    [Fact]
    public void Nothing_waits_longer_than_five_minutes()
    {
        _queue.Set(Build.Pod("p"));
        _queue.Unschedulable(Assert.Single(_queue.PopRun(1)));
        Pass(301);
        Assert.Equal(["p"], Pop());
    }

    [Fact]
    public void Gates_hold_and_removal_forgets()
    {
        _queue.Set(Build.Pod("p", change: p => p.Spec!.SchedulingGates = [new PodSchedulingGate { Name = "g" }]));
        Assert.Empty(Pop());
        _queue.Set(Build.Pod("p"));
        Assert.Equal(["p"], Pop());
        _queue.Set(Build.Pod("q"));
        _queue.Remove(new ObjectKey("default", "q"), "uid-q");
        Assert.Empty(Pop());
    }

    [Fact]
    public void A_changed_pod_is_tried_again()
    {
        _queue.Set(Build.Pod("p", "8"));
        _queue.Unschedulable(Assert.Single(_queue.PopRun(1)));
        Pass(2);
        _queue.Set(Build.Pod("p", "8"));
        Assert.Empty(Pop());
        _queue.Set(Build.Pod("p", "1"));
        Assert.Equal(["p"], Pop());
    }

    [Fact]
    public async Task Waiting_ends_when_something_comes()
    {
        var wait = _queue.WaitAsync(default);
        Assert.False(wait.IsCompleted);
        _queue.Set(Build.Pod("p"));
        await wait.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
