using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api.Schema;

namespace Mesh.Api.Apply;

/// <summary>Who writes, and how the write is remembered.</summary>
/// <param name="Manager">Manager name; "" becomes "unknown".</param>
/// <param name="ApiVersion">Version of the written object.</param>
/// <param name="Subresource">Subresource it is written through, "" for the object itself.</param>
/// <param name="Time">Now, RFC 3339 in whole seconds.</param>
/// <param name="Foreign">Paths that are not owned by who writes this way (the status of an object that has a status subresource).</param>
public sealed record Writer(string Manager, string ApiVersion, string Subresource, string Time, FieldSet Foreign)
{
    /// <summary>Manager name.</summary>
    public string Manager { get; } = Manager.Length == 0 ? "unknown" : Manager;
}

/// <summary>The same change in another version of the kind, for managers that own fields by the names of that version; null where they are the same.</summary>
/// <param name="apiVersion">The version.</param>
public delegate FieldChanges? ChangesIn(string apiVersion);

/// <summary>Keeps metadata.managedFields at creates, updates and plain patches (KEP-555).</summary>
public static class Ownership
{
    /// <summary>What changed between two states of a kind's objects.</summary>
    public static FieldChanges Changes(TypeSchema type, JsonObject was, JsonObject now) => TreeCompare.Changes(ApplyPlan.Of(type), was, now);

    /// <summary>What changed between the bytes of an object and its new tree. Cheaper: no tree of the old state is made.</summary>
    public static FieldChanges Changes(TypeSchema type, ReadOnlyMemory<byte> was, JsonObject now)
    {
        using var document = JsonDocument.Parse(was, Deep);
        return TreeCompare.Changes(ApplyPlan.Of(type), document.RootElement, now);
    }

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    /// <summary>The owners of a new object: its creator owns all that is in it.</summary>
    public static ManagedFields Created(TypeSchema type, JsonObject obj, Writer writer, ManagedFields? given = null)
    {
        var changes = new FieldChanges(TreeFields.Created(ApplyPlan.Of(type), obj), FieldSet.Empty);
        return Updated(given ?? ManagedFields.None, changes, writer);
    }

    /// <summary>The owners after a change: the writer owns what it set, nobody owns what is gone.</summary>
    public static ManagedFields Updated(ManagedFields before, FieldChanges changes, Writer writer, ChangesIn? inVersion = null)
    {
        changes = changes.Except(writer.Foreign);
        if (changes.IsEmpty) return before;
        var after = new List<ManagedEntry>(before.Entries.Count + 1);
        ManagedEntry? own = null;
        foreach (var entry in before.Entries)
        {
            if (entry.Is(writer.Manager, applied: false, writer.ApiVersion, writer.Subresource)) own = entry;
            else if (Lose(entry, InVersion(entry, changes, writer, inVersion)) is { } left) after.Add(left);
        }

        if (Gain(own, changes, writer) is { } mine) after.Add(mine);
        return ManagedFields.Capped(after);
    }

    /// <summary>An entry without what somebody else set or removed; null when nothing is left.</summary>
    internal static ManagedEntry? Lose(ManagedEntry entry, FieldChanges changes)
    {
        if (!FieldsV1.Overlaps(entry.Encoded, changes.Set) && !FieldsV1.Overlaps(entry.Encoded, changes.Removed)) return entry;
        var left = entry.Set.Except(changes.Set).Except(changes.Removed);
        return left.IsEmpty ? null : entry.With(left);
    }

    internal static FieldChanges InVersion(ManagedEntry entry, FieldChanges changes, Writer writer, ChangesIn? inVersion) =>
        inVersion is not null && entry.ApiVersion != writer.ApiVersion && inVersion(entry.ApiVersion) is { } other ? other.Except(writer.Foreign) : changes;

    private static ManagedEntry? Gain(ManagedEntry? own, FieldChanges changes, Writer writer)
    {
        if (own is null) return changes.Set.IsEmpty ? null : new ManagedEntry(writer.Manager, applied: false, writer.ApiVersion, writer.Subresource, writer.Time, changes.Set);
        var time = changes.Set.IsEmpty ? own.Time : writer.Time;
        // The usual write: a manager gives new values to fields that it owns already. Its set stays as it is encoded.
        if (FieldsV1.Covers(own.Encoded, changes.Set) && !FieldsV1.Overlaps(own.Encoded, changes.Removed)) return own.At(time);
        var set = own.Set.Except(changes.Removed).Union(changes.Set);
        return set.IsEmpty ? null : own.With(set, time);
    }
}
