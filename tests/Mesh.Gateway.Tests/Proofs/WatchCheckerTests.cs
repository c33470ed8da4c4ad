namespace Mesh.Gateway.Tests.Proofs;

public class WatchCheckerTests
{
    private static readonly SortedDictionary<long, (string, string?)> Changes = new() { [2] = ("a", "1"), [3] = ("b", "1"), [4] = ("a", "2"), [6] = ("b", null) };
    private static readonly Told Empty = new Told(1, "LIST", Items: []);
    private static readonly Told[] All = [new Told(2, "ADDED", "a", "1"), new Told(3, "ADDED", "b", "1"), new Told(4, "MODIFIED", "a", "2"), new Told(6, "DELETED", "b", "1")];

    [Fact]
    public void Good_histories_pass()
    {
        Assert.Null(WatchChecker.Check([Empty, .. All], Changes));
        Assert.Null(WatchChecker.Check([Empty, All[0], new Told(2, "BOOKMARK"), All[1], All[2], new Told(5, "BOOKMARK"), All[3], new Told(9, "BOOKMARK")], Changes));
        Assert.Null(WatchChecker.Check([new Told(4, "LIST", Items: [("a", 4, "2"), ("b", 3, "1")]), All[3]], Changes));
        Assert.Null(WatchChecker.Check([Empty, All[0], new Told(7, "LIST", Items: [("a", 4, "2")])], Changes));
    }

    [Fact]
    public void A_deletion_that_nobody_watched_is_believed_where_somebody_deleted()
    {
        Told[] told = [Empty, All[0], All[1], All[2], new(5, "LIST", Items: [("b", 3, "1")]), All[3], new(8, "ADDED", "a", "3")];
        var changes = new SortedDictionary<long, (string, string?)>(Changes) { [8] = ("a", "3") };
        Assert.Null(WatchChecker.Check(told, changes, static (key, after) => (key, after) == ("a", 4)));
        Assert.StartsWith("list", WatchChecker.Check(told, changes, static (key, after) => (key, after) == ("a", 2)), StringComparison.Ordinal);
        // One who watched all the time and was not told is not excused.
        Assert.StartsWith("true", WatchChecker.Check([Empty, .. All, new Told(8, "ADDED", "a", "3")], changes, static (_, _) => true), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_broken_promise_is_found()
    {
        Broken("ordered", Empty, All[0], All[0], All[1], All[2], All[3]);
        Broken("ordered", Empty, All[0], All[1], All[2], All[1], All[3]);
        Broken("ordered", Empty, All[0], All[1], All[2], new Told(3, "BOOKMARK"), All[3]);
        Broken("ordered", Empty, All[0], All[1], All[2], new Told(3, "LIST", Items: [("a", 2, "1"), ("b", 3, "1")]), All[3]);
        Broken("reliable", Empty, All[0], All[2], All[1], All[3]);
        Broken("reliable", Empty, All[0], All[2], All[3]);
        Broken("reliable", Empty, All[0], All[1], All[2]);
        Broken("bookmarkable", Empty, All[0], new Told(3, "BOOKMARK"), All[1], All[2], All[3]);
        Broken("true", Empty, new Told(2, "ADDED", "a", "other"), All[1], All[2], All[3]);
        Broken("true", Empty, new Told(2, "MODIFIED", "a", "1"), All[1], All[2], All[3]);
        Broken("true", Empty, All[0], All[1], All[2], new Told(6, "MODIFIED", "b", "2"));
        Broken("true", [Empty, .. All, new Told(8, "ADDED", "c", "1")]);
        Broken("list", new Told(4, "LIST", Items: [("a", 2, "1"), ("b", 3, "1")]), All[3]);
        Broken("list", new Told(3, "LIST", Items: [("a", 2, "1")]), All[2], All[3]);
        Broken("list", new Told(7, "LIST", Items: [("a", 4, "2"), ("b", 3, "1")]));
    }

    private static void Broken(string promise, params IEnumerable<Told> told) => Assert.StartsWith(promise, WatchChecker.Check(told, Changes), StringComparison.Ordinal);
}
