using System.Text;
using Mesh.Api;
using Mesh.Api.Selectors;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Tests.Storage;

/// <summary>What the watch cache leaves out of memory, and that nobody notices.</summary>
public sealed class CacheMemoryTests
{
    private static readonly ApiResource Maps = ResourceTable.Find("", "v1", "configmaps")!;
    private static readonly string Numbers = string.Join(' ', Enumerable.Range(0, 200));
    private readonly CacheLayout layout = new(Maps, [], static _ => []);

    /// <summary>Few events remember their state: those between are found from the next one back.</summary>
    [Fact]
    public void Every_state_of_a_long_past_is_what_it_was()
    {
        var cache = new ResourceCache(layout, TimeProvider.System);
        cache.Reset([], 10);
        var random = new Random(5);
        var now = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var past = new Dictionary<long, string>();
        for (var revision = 11; revision < 400; revision++)
        {
            var name = "n" + random.Next(20);
            if (random.Next(3) == 0 && now.Remove(name))
            {
                cache.Delete(Key(name), revision);
            }
            else
            {
                now[name] = revision;
                cache.Put(Entry(name, revision));
            }

            past[revision] = string.Join(' ', now);
        }

        foreach (var (revision, expected) in past)
            Assert.Equal(expected, string.Join(' ', cache.StateAt(revision)!.Entries.Select(static e => KeyValuePair.Create(e.Name, e.Revision))));
    }

    [Fact]
    public void Old_events_go_also_while_nothing_happens()
    {
        var clock = new SteppingTime();
        var cache = new ResourceCache(layout, clock);
        cache.Reset([], 1);
        for (var i = 2; i < 3 * EventRing.MinCapacity; i++) cache.Put(Entry("a", i));
        cache.Trim();
        using (var kept = cache.WatchAfter(5, All())) Assert.NotNull(kept);
        clock.Step(TimeSpan.FromMinutes(2));
        cache.Trim();
        Assert.Null(cache.WatchAfter(5, All()));
        using var recent = cache.WatchAfter((2 * EventRing.MinCapacity) + 5, All());
        Assert.NotNull(recent);
    }

    /// <summary>Objects that were not looked at lately are packed, and are served as they were.</summary>
    [Fact]
    public void Cold_entries_are_small_and_unchanged()
    {
        var cache = new ResourceCache(layout, TimeProvider.System);
        cache.Reset([], 10);
        var entries = Enumerable.Range(0, 3000).Select(i => Entry("m" + i, i + 20)).ToList();
        foreach (var entry in entries) cache.Put(entry);

        Assert.True(entries.Count(static e => e.IsPacked) > 2000);
        for (var i = 0; i < entries.Count; i++)
        {
            var expected = Text("m" + i, i + 20, $"\"resourceVersion\":\"{i + 20}\",");
            var written = new System.Buffers.ArrayBufferWriter<byte>();
            entries[i].WriteJson(written);
            Assert.Equal(expected, Encoding.UTF8.GetString(written.WrittenSpan));
            Assert.Equal(written.WrittenCount, entries[i].JsonLength);
            if (i % 10 != 0) continue;
            Assert.True(entries[i].TryGet("app", out var app) && app == "a" + ((i + 20) % 3));
            Assert.Equal("m" + i, entries[i].Parsed["metadata"]!["name"]!.ToString());
            Assert.Equal(expected, Encoding.UTF8.GetString(entries[i].Json));
        }
    }

    private static string Key(string name) => StorageKeys.Key(Maps, "default", name);

    private static EntryFilter All() => EntryFilter.Compile(new CacheLayout(Maps, [], static _ => []), null, Selector.Everything, FieldSelector.Everything);

    private CacheEntry Entry(string name, long revision) => CacheEntry.Create(layout, new StoredObject(Key(name), Encoding.UTF8.GetBytes(Text(name, revision, "")), revision));

    private static string Text(string name, long revision, string version) =>
        "{\"kind\":\"ConfigMap\",\"metadata\":{" + version + "\"name\":\"" + name + "\",\"namespace\":\"default\",\"labels\":{\"app\":\"a" + (revision % 3) + "\"}},\"data\":{\"text\":\"" + Numbers
        + "\",\"own\":\"" + (revision * 7919) + "\"}}";

    private sealed class SteppingTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Step(TimeSpan by) => ticks += by.Ticks;

        public override long GetTimestamp() => ticks;
    }
}
