using Mesh.Api.Core.V1;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Model;
using Mesh.Scheduler.Queue;
using static Mesh.Scheduler.Tests.Constraints.World;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>Which changes bring a waiting pod back.</summary>
public sealed class RequeueTests
{
    private readonly TestTime _time = new();
    private readonly SchedulingQueue _queue;

    public RequeueTests() => _queue = new SchedulingQueue(_time);

    private void Wait(Pod pod)
    {
        _queue.Set(pod);
        _queue.Unschedulable(Assert.Single(_queue.PopRun(10)));
        Assert.Equal(1, _queue.Count(QueuePart.Unschedulable));
    }

    private bool Moved(Pod other)
    {
        _queue.MoveHeeding(new PodBlueprint(other).Identity);
        return _queue.Count(QueuePart.Unschedulable) == 0;
    }

    [Fact]
    public void Only_pods_that_matter_move_it()
    {
        Wait(Pod("p", "web", Near(Term("db"))));
        Assert.False(Moved(Pod("x", "other")));
        Assert.False(Moved(Pod("x", "db", p => p.Metadata.Namespace = "elsewhere")));
        Assert.True(Moved(Pod("x", "db")));
    }

    [Fact]
    public void Spreading_and_anti_affinity_heed_too()
    {
        Wait(Pod("p", "web", Spread("web")));
        Assert.True(Moved(Pod("x", "web", p => p.Metadata.DeletionTimestamp = DateTime.UnixEpoch)));
        _queue.Remove(new("default", "p"), "uid-p");
        Wait(Pod("q", "web", Apart(Term("db"))));
        Assert.True(Moved(Pod("x", "db")));
    }

    [Fact]
    public void Plain_pods_and_preferences_heed_nothing()
    {
        Wait(Pod("p", "web"));
        Assert.False(Moved(Pod("x", "web")));
        _queue.Remove(new("default", "p"), "uid-p");
        Wait(Pod("q", "web", Likes(1, Term("db"))));
        Assert.False(Moved(Pod("x", "db")));
    }

    [Fact]
    public void A_change_during_the_try_counts()
    {
        _queue.Set(Pod("p", "web", Near(Term("db"))));
        var tried = Assert.Single(_queue.PopRun(1));
        _queue.MoveHeeding(new PodBlueprint(Pod("x", "other")).Identity);
        Assert.False(tried.Disturbed);
        _queue.MoveHeeding(new PodBlueprint(Pod("x", "db")).Identity);
        _queue.Unschedulable(tried);
        Assert.Equal(1, _queue.Count(QueuePart.Backoff));
        _time.Now += TimeSpan.FromSeconds(1.1);
        _queue.Unschedulable(Assert.Single(_queue.PopRun(1)));
        Assert.Equal(1, _queue.Count(QueuePart.Unschedulable));
    }

    [Fact]
    public void New_labels_of_the_waiting_pod_count()
    {
        Wait(Pod("p", "web"));
        _time.Now += TimeSpan.FromSeconds(2);
        _queue.Set(Pod("p", "web"));
        Assert.Empty(_queue.PopRun(1));
        _queue.Set(Pod("p", "other"));
        Assert.Equal("other", Assert.Single(_queue.PopRun(1)).Blueprint.Identity.Labels["app"]);
    }
}
