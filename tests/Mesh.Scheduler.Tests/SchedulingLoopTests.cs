using System.Diagnostics.Metrics;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Client.Testing;
using Mesh.Events;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Queue;
using Mesh.Scheduler.Sharding;
using Mesh.Scheduler.Tests.Constraints;
using Mesh.Telemetry;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Scheduler.Tests;

/// <summary>The whole scheduler on an API in memory.</summary>
public sealed class SchedulingLoopTests
{
    private readonly FakeKubeClient _client = new();

    private static async Task Until(Func<bool> truth, string what)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!truth())
        {
            Assert.True(DateTime.UtcNow < deadline, what);
            await Task.Delay(10);
        }
    }

    private Running Start(SchedulerOptions options, IEventBus? bus = null) => new(_client, options, bus);

    [Fact]
    public async Task Pods_are_bound_and_told()
    {
        _client.Seed(Build.Node("a", "2"));
        for (var i = 0; i < 3; i++) _client.Seed(Build.Pod($"p{i}", "1"));
        _client.Seed(Build.Pod("foreign", "1", change: p => p.Spec!.SchedulerName = "another"));
        await using var scheduler = Start(new SchedulerOptions());
        await Until(() => _client.All<Pod>().Count(p => p.Spec!.NodeName == "a") == 2, "two pods bound");
        await Until(() => _client.All<Pod>().Any(p => p.Status?.Conditions?.Any(c => c is { Type: "PodScheduled", Status: "False", Reason: "Unschedulable" }) == true), "condition written");
        Assert.Contains(scheduler.Events, e => e.StartsWith("Normal Scheduled Successfully assigned default/p", StringComparison.Ordinal) && e.EndsWith(" to a", StringComparison.Ordinal));
        Assert.Contains("Warning FailedScheduling 0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.", scheduler.Events);
        Assert.Null(_client.Find<Pod>("default", "foreign")!.Spec!.NodeName);

        // Room is made: the third goes in after its back-off.
        var gone = _client.All<Pod>().First(p => p.Spec!.NodeName == "a");
        await _client.DeleteAsync<Pod>("default", gone.Metadata.Name!, new DeleteOptions { GracePeriodSeconds = 0 });
        await Until(() => _client.All<Pod>().Count(p => p.Spec!.NodeName == "a") == 2, "the waiting pod took the room");
    }

    [Fact, Compatibility(17)]
    public async Task Every_name_that_dashboards_read_is_served()
    {
        _client.Seed(Build.Node("a", "2"));
        _client.Seed(Build.Pod("p", "1"));
        await using var scheduler = Start(new SchedulerOptions());
        await Until(() => DashboardMetrics.Of("kube-scheduler").All(n => DashboardMetrics.Serves(scheduler.Metrics(), n)), "every name has a sample");
        Assert.Contains("scheduler_schedule_attempts_total{profile=\"default-scheduler\",result=\"scheduled\"} 1\n", scheduler.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_binding_is_tried_again_elsewhere_or_later()
    {
        _client.Seed(Build.Node("a", "1"));
        var refusals = 0;
        _client.Refuse = action => action.Verb == "bind" && Interlocked.Increment(ref refusals) <= 2 ? Statuses.InternalError("no luck") : null;
        _client.Seed(Build.Pod("p", "1"));
        await using var scheduler = Start(new SchedulerOptions());
        await Until(() => _client.Find<Pod>("default", "p")!.Spec!.NodeName == "a", "bound at the third try");
    }

    [Fact]
    public async Task Shards_share_the_pods_and_leave_none()
    {
        for (var i = 0; i < 4; i++) _client.Seed(Build.Node($"n{i}", "8"));
        for (var i = 0; i < 32; i++) _client.Seed(Build.Pod($"p{i}", "100m"));
        await using var first = Start(new SchedulerOptions { Shards = 2, Shard = 0 });
        await using var second = Start(new SchedulerOptions { Shards = 2, Shard = 1 });
        await Until(() => _client.All<Pod>().All(p => p.Spec!.NodeName is not null), "every pod bound");
        var binds = _client.Actions.Where(a => a.Verb == "bind").Select(a => a.Name).ToArray();
        Assert.Equal(32, binds.Distinct().Count());
        Assert.Equal(32, binds.Length);
        Assert.NotEmpty(first.Events);
        Assert.NotEmpty(second.Events);
    }

    [Fact]
    public async Task Members_of_a_group_divide_the_pods_and_take_over()
    {
        await using var bus = new EmbeddedEventBus();
        _client.Seed(Build.Node("a", "64"));
        var first = Start(new SchedulerOptions(), bus);
        await using var second = Start(new SchedulerOptions(), bus);
        var keys = Enumerable.Range(0, 40).Select(i => new ObjectKey("default", $"p{i}")).ToArray();
        await Until(() => keys.All(k => first.Owns(k) ^ second.Owns(k)) && keys.Any(first.Owns) && keys.Any(second.Owns), "both have joined");
        for (var i = 0; i < 40; i++) _client.Seed(Build.Pod($"p{i}", "100m"));
        await Until(() => _client.All<Pod>().All(p => p.Spec!.NodeName is not null), "every pod bound by one of the two");
        await Until(() => second.Events.Length > 0, "the second has bound its own");
        Assert.Equal(40, _client.Actions.Count(a => a.Verb == "bind"));
        await first.DisposeAsync();
        for (var i = 0; i < 40; i++) _client.Seed(Build.Pod($"q{i}", "100m"));
        await Until(() => _client.All<Pod>().All(p => p.Spec!.NodeName is not null), "the other took over");
    }

    [Fact]
    public async Task A_pod_that_must_be_near_another_waits_for_it()
    {
        _client.Seed(Build.Node("a"));
        _client.Seed(Build.Node("b"));
        _client.Seed(World.Pod("web", "web", World.Near(World.Term("db", World.Host))));
        await using var scheduler = Start(new SchedulerOptions());
        await Until(
            () => scheduler.Events.Contains(
                "Warning FailedScheduling 0/2 nodes are available: 2 node(s) didn't match pod affinity rules. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."),
            "told why it waits");
        _client.Seed(World.Pod("db", "db"));
        await Until(() => _client.All<Pod>().All(p => p.Spec!.NodeName is not null), "both bound");
        Assert.Single(_client.All<Pod>().Select(p => p.Spec!.NodeName).Distinct());
    }

    [Fact]
    public async Task A_namespace_that_becomes_the_right_one_lets_a_pod_in()
    {
        _client.Seed(Build.Node("a"));
        _client.Seed(new Namespace { Metadata = new ObjectMeta { Name = "default", Labels = new() { ["team"] = "red" } } });
        _client.Seed(World.Pod("db", "db"));
        _client.Seed(World.Pod("web", "web", World.Near(World.Term("db", World.Host, t => t.NamespaceSelector = new LabelSelector { MatchLabels = new() { ["team"] = "blue" } }))));
        await using var scheduler = Start(new SchedulerOptions());
        await Until(() => scheduler.Events.Any(e => e.Contains("didn't match pod affinity rules", StringComparison.Ordinal)), "told why it waits");
        _client.Seed(new Namespace { Metadata = new ObjectMeta { Name = "default", Labels = new() { ["team"] = "blue" } } });
        await Until(() => _client.Find<Pod>("default", "web")!.Spec!.NodeName == "a", "bound");
    }

    [Fact]
    public async Task Pods_that_keep_apart_are_one_shards_work()
    {
        for (var i = 0; i < 6; i++) _client.Seed(Build.Node($"n{i}"));
        for (var i = 0; i < 12; i++) _client.Seed(World.Pod($"p{i}", "web", World.Apart(World.Term("web", World.Host))));
        await using var first = Start(new SchedulerOptions { Shards = 2, Shard = 0 });
        await using var second = Start(new SchedulerOptions { Shards = 2, Shard = 1 });
        await Until(() => _client.All<Pod>().Count(p => p.Spec!.NodeName is not null) == 6, "one pod a node");
        await Until(() => _client.All<Pod>().Count(p => p.Status?.Conditions?.Any(c => c.Reason == "Unschedulable") == true) == 6, "the rest told");
        Assert.Equal(6, _client.All<Pod>().Where(p => p.Spec!.NodeName is not null).Select(p => p.Spec!.NodeName).Distinct().Count());
        Assert.True(first.Events.Length == 0 ^ second.Events.Length == 0);
        Assert.DoesNotContain(_client.All<Pod>(), p => p.Spec!.NodeName is null && p.Status?.Conditions?.Any(c => !c.Message!.Contains("anti-affinity", StringComparison.Ordinal)) == true);
    }

    [Fact]
    public void The_missing_library_falls_back()
    {
        using var engine = SchedulerService.CreateEngine(new SchedulerOptions { Engine = "managed" }, NullLogger.Instance);
        Assert.Equal("managed", engine.Name);
        using var native = SchedulerService.CreateEngine(new SchedulerOptions(), NullLogger.Instance);
        Assert.Equal("native", native.Name);
    }

    private sealed class Running : IAsyncDisposable, IEventRecorder
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ClusterState _cluster = new(NativeEngine.TryCreate(out _) as IPlacementEngine ?? new ManagedEngine(), () => 1);
        private readonly MetricsRegistry _metrics = new(TimeProvider.System, withProcess: false);
        private readonly SchedulingLoop _loop;
        private readonly ClusterFeed _feed;
        private readonly IShardOwnership _shards;
        private readonly Task _work;
        private readonly List<string> _events = [];

        public Running(FakeKubeClient client, SchedulerOptions options, IEventBus? bus)
        {
            var queue = new SchedulingQueue(TimeProvider.System);
            var metrics = new SchedulerMetrics(_metrics, queue, options);
            var informers = new InformerFactory(client, NullLoggerFactory.Instance, TimeProvider.System);
            _shards = bus is null ? new FixedShards(options.Shard, options.Shards) : new BusShards(bus, options.Topic, options.Partitions, "scheduler", TimeProvider.System, NullLogger.Instance);
            _feed = new ClusterFeed(_cluster, queue, _shards, metrics, options);
            _feed.Attach(informers);
            _loop = new SchedulingLoop(queue, _cluster, client, this, metrics, options, TimeProvider.System, NullLogger<SchedulingLoop>.Instance);
            _work = Task.WhenAll(informers.RunAsync(_stop.Token), Work(informers));
        }

        /// <summary>What /metrics shows.</summary>
        public string Metrics()
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>();
            _metrics.Write(output);
            return "\n" + System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
        }

        public bool Owns(ObjectKey key) => _shards.Owns(key);

        public string[] Events
        {
            get
            {
                lock (_events) return [.. _events];
            }
        }

        public void Event(ObjectReference about, string type, string reason, string message)
        {
            lock (_events) _events.Add($"{type} {reason} {message}");
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _loop.DrainAsync(default);
            _loop.Dispose();
            _cluster.Dispose();
            _metrics.Dispose();
            _stop.Dispose();
        }

        private async Task Work(InformerFactory informers)
        {
            await informers.WaitForSyncAsync(_stop.Token);
            await Task.WhenAll(_feed.FollowOwnershipAsync(_stop.Token), _loop.RunAsync(_stop.Token));
        }
    }
}
