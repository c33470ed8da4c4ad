using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Apply;

/// <summary>A field that an applier wants to change and that somebody else owns.</summary>
/// <param name="Owner">Who owns it.</param>
/// <param name="Path">The field, `.spec.replicas`.</param>
public readonly record struct ApplyConflict(ManagedEntry Owner, string Path);

/// <summary>What an apply comes to.</summary>
/// <param name="Object">The object as it should be; of no use when there are conflicts.</param>
/// <param name="Managed">Its owners.</param>
/// <param name="Conflicts">What stands against it; empty when it was forced.</param>
public sealed record ApplyResult(JsonObject Object, ManagedFields Managed, IReadOnlyList<ApplyConflict> Conflicts);

/// <summary>
/// Server-side apply (KEP-555): merges a configuration into an object, takes out what the applier applied before and does not name any more,
/// and refuses to change what others own unless it is forced.
/// </summary>
public static class Applier
{
    /// <summary>Manager of everything in an object that had no managers before it was first applied.</summary>
    public const string BeforeFirstApply = "before-first-apply";

    /// <summary>Applies a configuration.</summary>
    /// <param name="type">The kind's type.</param>
    /// <param name="live">The object as it is; not changed.</param>
    /// <param name="before">Its owners.</param>
    /// <param name="config">The configuration, decoded along the schema; not changed.</param>
    /// <param name="writer">Who applies.</param>
    /// <param name="force">Take fields from their owners.</param>
    /// <param name="inVersion">Makes the changes in another version from the new object, or null.</param>
    /// <param name="respelled">Fields that the applier wrote otherwise than they are stored (<see cref="Respelled"/>): these count as changed.</param>
    public static ApplyResult Apply(
        TypeSchema type, JsonObject live, ManagedFields before, JsonObject config, Writer writer, bool force, Func<JsonObject, ChangesIn>? inVersion = null, FieldSet? respelled = null)
    {
        var plan = ApplyPlan.Of(type);
        if (before.Entries.Count == 0)
            before = Ownership.Created(type, live, new Writer(BeforeFirstApply, writer.ApiVersion, writer.Subresource, writer.Time, writer.Foreign));

        var merged = (JsonObject)live.DeepClone();
        TreeMerge.Into(plan, merged, config);
        var wanted = TreeFields.Applied(plan, config).ExceptBelow(writer.Foreign);
        var own = before.Entries.FirstOrDefault(e => e.Is(writer.Manager, applied: true, writer.ApiVersion, writer.Subresource));
        if (own is not null && !wanted.Contains(own.Set)) TreePrune.Apply(plan, merged, own.Set, Kept(before, own, wanted));

        var changes = TreeCompare.Changes(plan, live, merged);
        var unchanged = changes.IsEmpty;
        if (respelled is { IsEmpty: false }) changes = changes with { Set = changes.Set.Union(respelled) };
        changes = changes.Except(writer.Foreign);
        var versions = inVersion?.Invoke(merged);
        if (!force && Conflicts(before, own, changes, writer, versions) is { Count: > 0 } conflicts) return new(merged, before, conflicts);
        var after = new List<ManagedEntry>(before.Entries.Count + 1);
        foreach (var entry in before.Entries)
        {
            if (!ReferenceEquals(entry, own) && Ownership.Lose(entry, Ownership.InVersion(entry, changes, writer, versions)) is { } left) after.Add(left);
        }

        if (!wanted.IsEmpty)
        {
            after.Add(own is not null && own.ApiVersion == writer.ApiVersion && own.Set.Equals(wanted)
                ? own.At(unchanged ? own.Time : writer.Time)
                : new ManagedEntry(writer.Manager, applied: true, writer.ApiVersion, writer.Subresource, writer.Time, wanted));
        }

        return new(merged, ManagedFields.Capped(after), []);
    }

    /// <summary>What the creator by apply owns: the fields it names.</summary>
    public static ManagedFields Created(TypeSchema type, JsonObject config, Writer writer)
    {
        var wanted = TreeFields.Applied(ApplyPlan.Of(type), config).ExceptBelow(writer.Foreign);
        return wanted.IsEmpty ? ManagedFields.None : new([new ManagedEntry(writer.Manager, applied: true, writer.ApiVersion, writer.Subresource, writer.Time, wanted)]);
    }

    /// <summary>
    /// The fields that mean what they say and are stored in other words: a CPU of "0.1" is stored as "100m". Kubernetes compares words, so that to apply such a field is
    /// to change it, whatever the object has.
    /// </summary>
    /// <param name="type">The kind's type.</param>
    /// <param name="sent">The configuration as it was sent.</param>
    /// <param name="config">The same decoded along the schema.</param>
    public static FieldSet Respelled(TypeSchema type, JsonObject sent, JsonObject config)
    {
        if (JsonNode.DeepEquals(sent, config)) return FieldSet.Empty;
        var plan = ApplyPlan.Of(type);
        // What decoding left out altogether is nobody's.
        return TreeCompare.Changes(plan, config, sent).Set.Intersect(TreeFields.Applied(plan, config));
    }

    /// <summary>The fields of a configuration whose values are those of the object.</summary>
    public static FieldSet SameAs(TypeSchema type, JsonObject live, JsonObject config)
    {
        var plan = ApplyPlan.Of(type);
        var changes = TreeCompare.Changes(plan, live, config);
        return TreeFields.Applied(plan, config).Except(changes.Set).Except(changes.Removed);
    }

    private static FieldSet Kept(ManagedFields before, ManagedEntry own, FieldSet wanted)
    {
        var kept = wanted;
        foreach (var entry in before.Entries)
        {
            if (!ReferenceEquals(entry, own)) kept = kept.Union(entry.Set);
        }

        return kept;
    }

    private static List<ApplyConflict> Conflicts(ManagedFields before, ManagedEntry? own, FieldChanges changes, Writer writer, ChangesIn? inVersion)
    {
        var found = new List<ApplyConflict>();
        foreach (var entry in before.Entries)
        {
            if (ReferenceEquals(entry, own)) continue;
            var set = Ownership.InVersion(entry, changes, writer, inVersion).Set;
            if (!FieldsV1.Overlaps(entry.Encoded, set)) continue;
            foreach (var path in entry.Set.Intersect(set).Paths()) found.Add(new(entry, path));
        }

        return [.. found.OrderBy(static c => c.Owner.Manager, StringComparer.Ordinal)];
    }
}
