namespace Mesh.Store.Tests.Proofs;

/// <summary>The checker itself, on histories whose verdict is known.</summary>
public class LinearizabilityTests
{
    [Fact]
    public void Good_histories_pass()
    {
        Assert.Null(Linearizability.Check([]));
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Get("a", 3, 4, 1), Put("b", 5, 6, 2), Get("b", 7, 8, 2)]));
        // Concurrent: a read may see either side of a write.
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Put("b", 3, 10, 2), Get("a", 4, 5, 1), Get("b", 6, 7, 2)]));
        // Unanswered writes may have happened, later than their clients knew, or not at all.
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Put("b", 3, long.MaxValue, 0), Get("a", 4, 5, 1), Get("b", 6, 7, 2)]));
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Put("b", 3, long.MaxValue, 0), Get("a", 4, 5, 1), Get("a", 6, 7, 1)]));
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Cas("b", 1, 3, 6, 2, true), Cas("c", 1, 3, 6, 0, false), Get("b", 7, 8, 2)]));
        Assert.Null(Linearizability.Check([Put("a", 1, 2, 1), Delete(3, 4, 2), Get(null, 5, 6, 0), Cas("b", 0, 7, 8, 3, true)]));
    }

    [Fact]
    public void Bad_histories_fail()
    {
        // A stale read.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Put("b", 3, 4, 2), Get("a", 5, 6, 1)]));
        // A lost write.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Get(null, 3, 4, 0)]));
        // New, then old again.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Put("b", 3, 10, 2), Get("b", 4, 5, 2), Get("a", 6, 7, 1)]));
        // Both of two exclusive changes.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Cas("b", 1, 3, 6, 2, true), Cas("c", 1, 3, 6, 3, true)]));
        // A change that was refused though it fitted.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Cas("b", 1, 3, 4, 0, false)]));
        // A value nobody wrote, and one that came back from the dead.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Get("z", 3, 4, 1)]));
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 1), Delete(3, 4, 2), Get("a", 5, 6, 1)]));
        // One revision for two writes, and revisions against time.
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 5), Put("b", 3, 4, 5)]));
        Assert.NotNull(Linearizability.Check([Put("a", 1, 2, 5), Put("b", 3, 4, 4)]));
    }

    private static Operation Put(string value, long start, long end, long revision) => new(0, "put", "k", value, 0, start) { End = end, Revision = revision };

    private static Operation Delete(long start, long end, long revision) => new(0, "delete", "k", null, 0, start) { End = end, Revision = revision };

    private static Operation Get(string? value, long start, long end, long revision) => new(0, "get", "k", null, 0, start) { End = end, Value = value, Revision = revision };

    private static Operation Cas(string value, long expected, long start, long end, long revision, bool succeeded) =>
        new(0, "cas", "k", value, expected, start) { End = end, Revision = revision, Succeeded = succeeded };
}
