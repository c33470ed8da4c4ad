using System.Text.Json.Nodes;
using Mesh.Api.Apply;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Apply;

/// <summary>What holds for random objects of every kind, whoever applies.</summary>
public class ApplyPropertyTests
{
    private const int Rounds = 12;

    public static TheoryData<string> Packages => [.. ApiSchema.Builtin.GroupVersions.Select(g => g.Package).Where(static p => p != "meta.v1")];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Applying_again_changes_nothing(string package) => Each(package, (kind, random) =>
    {
        var live = random.Make(kind, "x");
        var config = random.Make(kind, "x");
        var once = Apply(kind, live, ManagedFields.None, config, "one", "01");
        var twice = Apply(kind, once.Object, once.Managed, config, "one", "02", force: false);
        Assert.Empty(twice.Conflicts);
        Same(once.Object, twice.Object);
        Assert.Equal(once.Managed.ToString(), twice.Managed.ToString());
        Assert.Equal(once.Managed.Entries.Select(static e => e.Time), twice.Managed.Entries.Select(static e => e.Time));
    });

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_only_applier_gets_what_it_applied_last(string package) => Each(package, (kind, random) =>
    {
        var nothing = new JsonObject { ["kind"] = kind.Kind, ["apiVersion"] = kind.ApiVersion, ["metadata"] = new JsonObject { ["name"] = "x" } };
        var (first, last) = (random.Make(kind, "x"), random.Make(kind, "x"));
        var created = (JsonObject)first.DeepClone();
        var owned = Applier.Created(kind.Type, first, Writer(kind, "one", "01"));
        var result = Apply(kind, created, owned, last, "one", "02", force: false);
        Assert.Empty(result.Conflicts);
        var alone = Apply(kind, nothing, ManagedFields.None, last, "one", "02");
        Same(alone.Object, result.Object);
        var emptied = Apply(kind, result.Object, result.Managed, nothing, "one", "03", force: false);
        Same(nothing, emptied.Object);
    });

    [Theory]
    [MemberData(nameof(Packages))]
    public void What_two_apply_is_there_and_each_field_changed_by_force_has_one_owner(string package) => Each(package, (kind, random) =>
    {
        var (one, two) = (random.Make(kind, "x"), random.Make(kind, "x"));
        var owned = Applier.Created(kind.Type, one, Writer(kind, "one", "01"));
        var polite = Apply(kind, one, owned, two, "two", "02", force: false);
        var forced = Apply(kind, one, owned, two, "two", "02");
        var plan = ApplyPlan.Of(kind.Type);
        var wanted = TreeFields.Applied(plan, two);
        Assert.Equal(wanted, Applier.SameAs(kind.Type, forced.Object, two).Intersect(wanted));

        var changes = TreeCompare.Changes(plan, one, forced.Object);
        var lost = owned.Entries.Count == 0 ? FieldSet.Empty : owned.Entries[0].Set.Intersect(changes.Set);
        Assert.Equal(lost.Paths().Order(), polite.Conflicts.Select(static c => c.Path).Order());
        foreach (var entry in forced.Managed.Entries.Where(static e => e.Manager != "two"))
            Assert.True(entry.Set.Intersect(changes.Set).IsEmpty);
    });

    [Theory]
    [MemberData(nameof(Packages))]
    public void An_updater_owns_what_it_changed_and_nobody_what_is_gone(string package) => Each(package, (kind, random) =>
    {
        var (was, now) = (random.Make(kind, "x"), random.Make(kind, "x"));
        var before = Ownership.Created(kind.Type, was, Writer(kind, "maker", "01"));
        var changes = Ownership.Changes(kind.Type, was, now);
        var after = Ownership.Updated(before, changes, Writer(kind, "editor", "02"));
        var all = after.Entries.Aggregate(FieldSet.Empty, static (sum, e) => sum.Union(e.Set));
        Assert.True(all.Intersect(changes.Removed.Except(changes.Set)).IsEmpty);
        if (!changes.Set.IsEmpty) Assert.Equal(changes.Set, after.Entries.Single(static e => e.Manager == "editor").Set);
        Assert.True(after.Entries.Where(static e => e.Manager == "maker").All(e => e.Set.Intersect(changes.Set).IsEmpty));
        Assert.True(Ownership.Changes(kind.Type, now, (JsonObject)now.DeepClone()).IsEmpty);
        // The same the other way round brings the other set.
        var back = Ownership.Changes(kind.Type, now, was);
        Assert.True(changes.Set.Except(changes.Removed).Except(back.Set).Except(back.Removed).IsEmpty);
    });

    private static void Each(string package, Action<KindSchema, RandomObject> check)
    {
        var gv = ApiSchema.Builtin.GroupVersions.Single(g => g.Package == package);
        foreach (var type in ApiSchema.Builtin.TypesOf(package).Where(static t => t.IsKind && t.Field("metadata")?.Type?.Name == "ObjectMeta"))
        {
            var kind = ApiSchema.Builtin.FindKind(gv.Group, gv.Version, type.Name)!;
            for (var seed = 0; seed < Rounds; seed++) check(kind, new RandomObject(new Random(seed), 0.15 + (seed % 4 * 0.15)));
        }
    }

    private static Writer Writer(KindSchema kind, string manager, string second) => new(manager, kind.ApiVersion, "", $"2026-01-01T00:00:{second}Z", FieldSet.Empty);

    private static ApplyResult Apply(KindSchema kind, JsonObject live, ManagedFields before, JsonObject config, string manager, string second, bool force = true) =>
        Applier.Apply(kind.Type, live, before, config, Writer(kind, manager, second), force);

    private static void Same(JsonObject expected, JsonObject actual)
    {
        if (!JsonNode.DeepEquals(expected, actual)) Assert.Equal(expected.ToJsonString(), actual.ToJsonString());
    }
}
