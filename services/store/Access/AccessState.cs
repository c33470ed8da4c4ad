using System.Text.Json;
using Mesh.Store.Mvcc;

namespace Mesh.Store.Access;

/// <summary>A permission on keys. Type: 0 read, 1 write, 2 both (authpb.Permission.Type).</summary>
internal sealed record AccessPermission(int Type, byte[] Key, byte[] RangeEnd)
{
    public KeyRange Range => KeyRange.Of(Key, RangeEnd);

    public bool SameRange(AccessPermission other) => Key.AsSpan().SequenceEqual(other.Key) && RangeEnd.AsSpan().SequenceEqual(other.RangeEnd);
}

/// <summary>A user. Without a password only a client certificate with that common name logs in.</summary>
internal sealed record AccessUser(string? PasswordHash, IReadOnlyList<string> Roles);

/// <summary>Users, roles and the switch; immutable, replaced whole by every change. Kept in log and snapshot as JSON.</summary>
internal sealed record AccessState(bool Enabled, ulong Revision, SortedDictionary<string, AccessUser> Users, SortedDictionary<string, IReadOnlyList<AccessPermission>> Roles)
{
    /// <summary>The role that may do everything; user root must have it before access control is switched on.</summary>
    public const string Root = "root";

    public static AccessState Empty => new(false, 1, new(StringComparer.Ordinal), new(StringComparer.Ordinal));

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static AccessState Decode(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<AccessState>(json) ?? Empty;
        }
        catch (JsonException e)
        {
            throw new FormatException("the access state is not valid", e);
        }
    }

    public bool IsRoot(string user) => Users.TryGetValue(user, out var found) && found.Roles.Contains(Root);

    /// <summary>Whether the user's roles allow the access to the whole range.</summary>
    public bool Allows(string user, KeyRange range, bool write)
    {
        if (!Users.TryGetValue(user, out var found)) return false;
        if (found.Roles.Contains(Root)) return true;
        var granted = found.Roles.SelectMany(r => Roles.GetValueOrDefault(r) ?? []).Where(p => p.Type == 2 || p.Type == (write ? 1 : 0)).Select(p => p.Range).ToList();
        if (granted.Exists(g => g.Covers(range))) return true;
        return !range.IsSingle && CoveredTogether(granted, range);
    }

    /// <summary>Several neighbouring grants may cover a range that none covers alone.</summary>
    private static bool CoveredTogether(List<KeyRange> granted, KeyRange range)
    {
        ReadOnlyMemory<byte> reached = range.Start;
        foreach (var grant in granted.OrderBy(g => g.Start, Comparer<ReadOnlyMemory<byte>>.Create(static (a, b) => a.Span.SequenceCompareTo(b.Span))))
        {
            if (grant.Start.Span.SequenceCompareTo(reached.Span) > 0) return false;
            if (grant.IsOpen) return true;
            // One key k is the range [k, k\0).
            ReadOnlyMemory<byte> end = grant.IsSingle ? (byte[])[.. grant.Start.Span, 0] : grant.End;
            if (end.Span.SequenceCompareTo(reached.Span) > 0) reached = end;
            if (!range.IsOpen && reached.Span.SequenceCompareTo(range.End.Span) >= 0) return true;
        }

        return false;
    }
}
