using System.Text;
using Mesh.Api;
using Mesh.Api.Selectors;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Tests.Storage;

public sealed class CacheTests
{
    private static readonly ApiResource Maps = ResourceTable.Find("", "v1", "configmaps")!;
    private static readonly CacheLayout Layout = new(Maps, [], static _ => []);
    private readonly ResourceCache cache = new(Layout, TimeProvider.System);

    public CacheTests() => cache.Reset([], 10);

    [Theory]
    [InlineData("""{"metadata":{"name":"a"}}""", """{"metadata":{"resourceVersion":"7","name":"a"}}""")]
    [InlineData("""{"kind":"X","spec":{"metadata":{}},"metadata":{}}""", """{"kind":"X","spec":{"metadata":{}},"metadata":{"resourceVersion":"7"}}""")]
    public void Served_JSON_has_the_revision_in_its_metadata(string stored, string served) =>
        Assert.Equal(served, Encoding.UTF8.GetString(ServedJson.WithResourceVersion(Encoding.UTF8.GetBytes(stored), 7)));

    [Fact]
    public void A_state_in_the_past_is_what_it_was()
    {
        Put("a", 11);
        Put("b", 12);
        cache.Delete(Key("a"), 13);

        Assert.Equal(["a", "b"], cache.StateAt(12)!.Entries.Select(static e => e.Name));
        Assert.Equal(["a"], cache.StateAt(11)!.Entries.Select(static e => e.Name));
        Assert.Equal(["b"], cache.StateAt(20)!.Entries.Select(static e => e.Name));
    }

    [Fact]
    public void A_watch_sees_every_change_once_and_in_order()
    {
        using var watch = cache.WatchAfter(10, All())!;
        Put("a", 11);
        Put("a", 12);
        var first = Drain(watch);
        cache.Delete(Key("a"), 13);
        var second = Drain(watch);

        Assert.Equal(["Added 11", "Modified 12"], first);
        Assert.Equal(["Deleted 13"], second);
        Assert.Empty(Drain(watch));
    }

    [Fact]
    public void A_watcher_that_is_too_slow_is_told_so_and_others_are_not_harmed()
    {
        var clock = new SteppingTime();
        var old = new ResourceCache(Layout, clock);
        old.Reset([], 1);
        using var slow = old.WatchAfter(1, All())!;
        using var quick = old.WatchAfter(1, All())!;
        var seen = 0;
        var events = new List<(ChangeType, CacheEntry)>();
        for (var i = 2; i < 3 * EventRing.MinCapacity; i++)
        {
            clock.Step(TimeSpan.FromSeconds(1));
            old.Put(Entry("a", i));
            events.Clear();
            quick.Drain(events, 16);
            seen += events.Count;
        }

        Assert.Equal(3 * EventRing.MinCapacity - 2, seen);
        Assert.Equal(WatchState.Expired, slow.Drain(events, 16).State);
        Assert.Null(old.WatchAfter(5, All()));
    }

    [Fact]
    public void A_watcher_of_other_things_does_not_expire()
    {
        var clock = new SteppingTime();
        var busy = new ResourceCache(Layout, clock);
        busy.Reset([], 1);
        using var watch = busy.WatchAfter(1, EntryFilter.Compile(Layout, "elsewhere", Selector.Everything, FieldSelector.Everything))!;
        for (var i = 2; i < 3 * EventRing.MinCapacity; i++)
        {
            clock.Step(TimeSpan.FromSeconds(1));
            busy.Put(Entry("a", i));
        }

        Assert.Equal(WatchState.Open, watch.Drain([], 16).State);
    }

    [Fact]
    public async Task Waiting_for_a_revision_ends_with_progress()
    {
        var reached = cache.WaitForAsync(50);
        Assert.False(reached.IsCompleted);
        cache.Progress(50);
        await reached.WaitAsync(TimeSpan.FromSeconds(5));
    }

    private static string Key(string name) => StorageKeys.Key(Maps, "default", name);

    private static EntryFilter All() => EntryFilter.Compile(Layout, null, Selector.Everything, FieldSelector.Everything);

    private static CacheEntry Entry(string name, long revision) =>
        CacheEntry.Create(Layout, new StoredObject(Key(name), Encoding.UTF8.GetBytes($$$$"""{"metadata":{"name":"{{{{name}}}}","namespace":"default"}}"""), revision));

    private static List<string> Drain(CacheWatch watch)
    {
        var events = new List<(ChangeType Type, CacheEntry Entry)>();
        watch.Drain(events, 100);
        return [.. events.Select(static e => $"{e.Type} {e.Entry.Revision}")];
    }

    private void Put(string name, long revision) => cache.Put(Entry(name, revision));

    private sealed class SteppingTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Step(TimeSpan by) => ticks += by.Ticks;
    }
}
