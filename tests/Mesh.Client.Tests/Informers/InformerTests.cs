using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests.Informers;

public sealed class InformerTests : IAsyncLifetime
{
    private readonly FakeKubeClient _client = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly InformerFactory _informers;
    private readonly List<string> _seen = [];
    private Task _running = Task.CompletedTask;

    public InformerTests() => _informers = new InformerFactory(_client, NullLoggerFactory.Instance);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Present_objects_arrive_then_changes(bool streamingLists)
    {
        _client.StreamingLists = streamingLists;
        Put("a", "1");
        var maps = Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(["+a"], _seen);
        Put("b", "1");
        Put("a", "2");
        await _client.DeleteAsync<ConfigMap>("ns", "b");
        await Eventually.TrueAsync(() => Count() == 4, "three changes");
        Assert.Equal(["+a", "+b", "a:1->2", "-b"], _seen);
        Assert.Equal("2", maps.Lister.Get("ns", "a")!.Data!["v"]);
        Assert.Null(maps.Lister.Get("ns", "b"));
    }

    [Fact]
    public async Task A_broken_watch_goes_on_where_it_ended()
    {
        var maps = Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        Put("a", "1");
        await Eventually.TrueAsync(() => Count() == 1, "a");
        _client.BreakWatches();
        Put("b", "1");
        await Eventually.TrueAsync(() => Count() == 2, "b");
        Assert.Equal(["+a", "+b"], _seen);
    }

    [Fact]
    public async Task After_a_gap_the_differences_are_handed_out()
    {
        Put("stays", "1");
        Put("changes", "1");
        Put("goes", "1");
        var maps = Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        lock (_seen) _seen.Clear();

        // Everything while the watch is down and its revision forgotten.
        var down = true;
        _client.Refuse = a => down && a.Verb == "watch" ? Mesh.Api.Statuses.ServiceUnavailable("down") : null;
        _client.BreakWatches();
        Put("changes", "2");
        await _client.DeleteAsync<ConfigMap>("ns", "goes");
        Put("comes", "1");
        _client.Compact();
        down = false;
        await Eventually.TrueAsync(() => Count() == 3, "differences");
        Assert.Equal(["+comes", "-goes", "changes:1->2"], _seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_late_handler_sees_the_present_objects()
    {
        Put("a", "1");
        var maps = Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        var late = new List<string>();
        maps.AddHandler((_, now) => late.Add(now!.Metadata.Name!));
        Assert.Equal(["a"], late);
    }

    [Fact]
    public async Task Indexes_follow_changes()
    {
        var maps = _informers.For<ConfigMap>();
        maps.AddIndex("value", m => m.Data is { } d ? [d["v"]] : []);
        Put("a", "x");
        Put("b", "x");
        Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(2, maps.Lister.ByIndex("value", "x").Count);
        Put("a", "y");
        await Eventually.TrueAsync(() => maps.Lister.ByIndex("value", "y").Count == 1, "moved");
        Assert.Single(maps.Lister.ByIndex("value", "x"));
    }

    [Fact]
    public async Task A_selector_that_an_object_leaves_deletes_it_from_the_cache()
    {
        var labeled = _informers.For<ConfigMap>(labelSelector: "app=x");
        _client.Seed(new ConfigMap { Metadata = new ObjectMeta { Namespace = "ns", Name = "a", Labels = new() { ["app"] = "x" } } });
        _client.Seed(new ConfigMap { Metadata = new ObjectMeta { Namespace = "ns", Name = "other" } });
        Start();
        await labeled.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Single(labeled.Lister.List());
        Put("a", "1"); // without the label
        await Eventually.TrueAsync(() => labeled.Lister.List().Count == 0, "left the selector");
    }

    [Fact]
    public void The_same_kind_and_selectors_share_one_informer()
    {
        Assert.Same(_informers.For<Pod>(), _informers.For<Pod>());
        Assert.NotSame(_informers.For<Pod>(), _informers.For<Pod>("spec.nodeName=a"));
    }

    [Fact]
    public async Task A_failing_handler_does_not_stop_the_others()
    {
        var maps = _informers.For<ConfigMap>();
        maps.AddHandler((_, _) => throw new InvalidOperationException("broken"));
        Start();
        await maps.Synced.WaitAsync(TimeSpan.FromSeconds(20));
        Put("a", "1");
        Put("b", "1");
        await Eventually.TrueAsync(() => Count() == 2, "both");
    }

    private IInformer<ConfigMap> Start()
    {
        var maps = _informers.For<ConfigMap>();
        maps.AddHandler((old, now) =>
        {
            lock (_seen)
            {
                _seen.Add((old, now) switch
                {
                    (null, { } n) => "+" + n.Metadata.Name,
                    ({ } o, null) => "-" + o.Metadata.Name,
                    ({ } o, { } n) => $"{n.Metadata.Name}:{o.Data!["v"]}->{n.Data!["v"]}",
                    _ => "?",
                });
            }
        });
        _running = _informers.RunAsync(_stop.Token);
        return maps;
    }

    private int Count()
    {
        lock (_seen) return _seen.Count;
    }

    private void Put(string name, string value) =>
        _client.Seed(new ConfigMap { Metadata = new ObjectMeta { Namespace = "ns", Name = name }, Data = new() { ["v"] = value } });
}
