using Mesh.Store.Mvcc;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Mvcc;

public class KeyTreeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Behaves_as_a_sorted_set_and_snapshots_stay(int seed)
    {
        var random = new Random(seed);
        var tree = new KeyTree();
        var model = new SortedSet<string>(StringComparer.Ordinal);
        var kept = new List<(KeyTreeView View, List<string> Keys)>();
        for (var step = 0; step < 20_000; step++)
        {
            var key = (seed == 2 ? step : random.Next(4000)).ToString("D6", null);
            if (random.Next(10) < (step < 12_000 ? 7 : 3))
            {
                tree.GetOrAdd(Kv.B(key), out var added);
                Assert.Equal(model.Add(key), added);
            }
            else
            {
                if (seed == 2) key = random.Next(step + 1).ToString("D6", null);
                Assert.Equal(model.Remove(key), tree.Remove(Kv.B(key)));
            }

            if (step % 997 == 0) kept.Add((tree.Snapshot(), [.. model]));
            Assert.Equal(model.Count, tree.Count);
        }

        kept.Add((tree.Snapshot(), [.. model]));
        foreach (var (view, keys) in kept)
        {
            Assert.Equal(keys, Walk(view, KeyRange.Everything));
            var (from, to) = ("001000", "002500");
            Assert.Equal(keys.Where(k => string.CompareOrdinal(k, from) >= 0 && string.CompareOrdinal(k, to) < 0), Walk(view, KeyRange.Of(Kv.B(from), Kv.B(to))));
            foreach (var key in keys.Where((_, i) => i % 50 == 0)) Assert.NotNull(view.Find(Kv.B(key)));
        }
    }

    [Fact]
    public void Emptied_and_filled_again()
    {
        var tree = new KeyTree();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 1000; i++) tree.GetOrAdd(Kv.B($"k{i}"), out _);
            for (var i = 0; i < 1000; i++) Assert.True(tree.Remove(Kv.B($"k{i}")));
            Assert.Equal(0, tree.Count);
            Assert.Empty(Walk(tree.Current, KeyRange.Everything));
        }
    }

    [Theory]
    [InlineData("a", "", "a", true)]
    [InlineData("a", "", "ab", false)]
    [InlineData("a", "c", "b", true)]
    [InlineData("a", "c", "c", false)]
    [InlineData("b", "\0", "zzz", true)]
    [InlineData("b", "\0", "a", false)]
    [InlineData("c", "a", "b", false)]
    public void Ranges_follow_etcds_rule(string key, string end, string probe, bool inside) =>
        Assert.Equal(inside, KeyRange.Of(Kv.B(key), Kv.B(end)).Contains(Kv.B(probe)));

    private static List<string> Walk(KeyTreeView view, KeyRange range)
    {
        var keys = new List<string>();
        var walk = view.Walk(range);
        while (walk.MoveNext()) keys.Add(Kv.S(walk.Current.Key));
        return keys;
    }
}
