using System.Text.RegularExpressions;

namespace Mesh.Integration.Tests;

/// <summary>tests/e2e/CONFORMANCE.md says which rows of the conformance suite and which wishes of clients have a test; this holds it to the truth.</summary>
public partial class ConformanceTableTests
{
    private static readonly string Root = FindRoot();
    private static readonly Lazy<List<(string Kind, string Row, string Test)>> Marks = new(Marked);

    [Fact]
    public void Every_row_that_counts_as_covered_has_its_test()
    {
        var rows = Table("row");
        Assert.NotEmpty(rows);
        Assert.All(rows, static r => Assert.Matches(@"^(later: .{10,}|`\w+\.\w+`)$", r.Says));
        var covered = rows.Where(static r => !r.Says.StartsWith("later:", StringComparison.Ordinal)).Select(static r => (r.Row, Test: r.Says.Trim('`')));
        Assert.Equal(Marks.Value.Where(static m => m.Kind == "Conformance").Select(static m => (m.Row, m.Test)).Distinct().Order(), covered.Distinct().Order());
    }

    [Fact]
    public void Every_wish_of_clients_has_its_tests()
    {
        var lines = Table("line");
        Assert.Equal(Enumerable.Range(1, 17).Select(static n => $"{n}"), lines.Select(static l => l.Row.Split('.')[0]));
        foreach (var (row, says) in lines)
        {
            var marked = Marks.Value.Where(m => m.Kind == "Compatibility" && m.Row == row.Split('.')[0]).Select(static m => m.Test).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(marked, says.Split(", ").Select(static t => t.Trim('`')).Order(StringComparer.Ordinal));
        }
    }

    /// <summary>Where the list of the suite lies beside the checkout, no row of it is missing.</summary>
    [Fact]
    public void No_row_of_the_suite_is_missing()
    {
        var rows = Table("row").Select(static r => r.Row).ToList();
        Assert.Equal(116, rows.Count);
        var suite = Path.Combine(Root, "..", "..", "shared", "acceptance", "conformance-1.36.tsv");
        if (!File.Exists(suite)) return;
        var wanted = File.ReadLines(suite).Select(static l => l.Split('\t')).Where(static c => c[0] is "sig-api-machinery" or "sig-cli").Select(static c => c[2]);
        Assert.Equal(wanted.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    private static List<(string Row, string Says)> Table(string head)
    {
        var rows = File.ReadLines(Path.Combine(Root, "tests/e2e/CONFORMANCE.md")).SkipWhile(l => !l.StartsWith($"| {head} |", StringComparison.Ordinal)).Skip(2).TakeWhile(static l => l.StartsWith('|'));
        return [.. rows.Select(static l => l.Trim('|').Split(" | ")).Select(static c => (c[0].Trim(), c[1].Trim()))];
    }

    /// <summary>The marks in the sources: what an attribute of a method says, and the method.</summary>
    private static List<(string Kind, string Row, string Test)> Marked()
    {
        var found = new List<(string Kind, string Row, string Test)>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories).Where(static f => !f.Contains("/obj/", StringComparison.Ordinal)))
        {
            var marks = new List<(string, string)>();
            var type = "";
            foreach (var line in File.ReadLines(file))
            {
                if (Type().Match(line) is { Success: true } c) type = c.Groups[1].Value;
                marks.AddRange(Mark().Matches(line).Select(static m => (m.Groups[1].Value, m.Groups[2].Value)));
                if (marks.Count == 0 || Method().Match(line) is not { Success: true } method) continue;
                found.AddRange(marks.Select(m => (m.Item1, m.Item2, $"{type}.{method.Groups[1].Value}")));
                marks.Clear();
            }
        }

        return found;
    }

    private static string FindRoot()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Mesh.sln"))) at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("Mesh.sln is in no folder above " + AppContext.BaseDirectory);
        return at;
    }

    [GeneratedRegex("""\b(Conformance|Compatibility)\("?(.*?)"?\)[,\]]""")]
    private static partial Regex Mark();

    [GeneratedRegex(@"^public (?:sealed )?(?:partial )?class (\w+)")]
    private static partial Regex Type();

    [GeneratedRegex(@"^    public (?:async )?(?:Task|void) (\w+)\(")]
    private static partial Regex Method();
}
