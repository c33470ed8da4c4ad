using System.Text;
using Mesh.Api;
using Mesh.Api.Selectors;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Tests.Storage;

/// <summary>Changes that come together are the same changes.</summary>
public sealed class CacheBatchTests
{
    private static readonly ApiResource Maps = ResourceTable.Find("", "v1", "configmaps")!;
    private static readonly CacheLayout Layout = new(Maps, [], static _ => []);

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Batches_of_any_size_leave_the_states_and_events_of_single_changes(int seed)
    {
        var random = new Random(seed);
        var cache = new ResourceCache(Layout, TimeProvider.System);
        cache.Reset([], 1);
        using var watch = cache.WatchAfter(1, EntryFilter.Compile(Layout, null, Selector.Everything, FieldSelector.Everything))!;
        var present = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var states = new List<string> { "", "" };
        var expected = new List<string>();
        var seen = new List<string>();
        for (var revision = 2L; revision < 900;)
        {
            var batch = new List<CacheChange>();
            for (var size = random.Next(1, 60); size > 0; size--, revision++)
            {
                var name = "map-" + random.Next(40);
                if (random.Next(3) == 0)
                {
                    if (present.Remove(name)) expected.Add($"Deleted {name} {revision}");
                    batch.Add(new CacheChange(Key(name), revision, null));
                }
                else
                {
                    expected.Add($"{(present.ContainsKey(name) ? "Modified" : "Added")} {name} {revision}");
                    present[name] = revision;
                    batch.Add(new CacheChange(Key(name), revision, Entry(name, revision)));
                }

                states.Add(string.Join(' ', present.Select(static p => p.Key + "@" + p.Value)));
            }

            // Told twice, as after a lost connection: once counts.
            cache.Apply(batch.ToArray());
            cache.Apply(batch.Where(static c => c.Entry is not null).Where(c => present.GetValueOrDefault(c.Entry!.Name) >= c.Revision).ToArray());
            Assert.Equal(states[^1], Text(cache.State));
            var events = new List<(ChangeType Type, CacheEntry Entry)>();
            while (watch.Drain(events, 1000).State == WatchState.Open && events.Count > 0)
            {
                seen.AddRange(events.Select(static e => $"{e.Type} {e.Entry.Name} {e.Entry.Revision}"));
                events.Clear();
            }
        }

        Assert.Equal(expected, seen);
        // Before the first event there is nothing to be remembered.
        var first = int.Parse(expected[0].Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
        for (var revision = first; revision < states.Count; revision++) Assert.Equal(states[revision], Text(cache.StateAt(revision)!));
    }

    [Fact]
    public void Nothing_new_wakes_nobody_and_moves_nothing()
    {
        var cache = new ResourceCache(Layout, TimeProvider.System);
        cache.Reset([Entry("a", 5)], 5);
        var before = cache.State;
        cache.Apply([new CacheChange(Key("a"), 5, Entry("a", 5)), new CacheChange(Key("b"), 6, null)]);
        Assert.Same(before, cache.State);
    }

    private static string Text(CacheState state) => string.Join(' ', state.Entries.Select(static e => e.Name + "@" + e.Revision));

    private static string Key(string name) => StorageKeys.Key(Maps, "default", name);

    private static CacheEntry Entry(string name, long revision) =>
        CacheEntry.Create(Layout, new StoredObject(Key(name), Encoding.UTF8.GetBytes($$$$"""{"metadata":{"name":"{{{{name}}}}","namespace":"default"}}"""), revision));
}
