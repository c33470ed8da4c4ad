using Grpc.Core;

namespace Mesh.Store.Access;

/// <summary>Changes of users and roles as pure functions from state to state, with etcd's refusals.</summary>
internal static class AccessChanges
{
    public static AccessState Enable(AccessState s)
    {
        if (s.Enabled) return s;
        if (!s.Users.ContainsKey(AccessState.Root)) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: root user does not exist");
        if (!s.IsRoot(AccessState.Root)) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: root user does not have root role");
        return s with { Enabled = true };
    }

    public static AccessState AddUser(AccessState s, string name, string? passwordHash)
    {
        if (name.Length == 0) throw UserEmpty;
        if (s.Users.ContainsKey(name)) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: user name already exists");
        return WithUser(s, name, new AccessUser(passwordHash, []));
    }

    public static AccessState DeleteUser(AccessState s, string name)
    {
        if (s.Enabled && name == AccessState.Root) throw InvalidManagement;
        _ = User(s, name);
        return s with { Users = Copy(s.Users, u => u.Remove(name)) };
    }

    public static AccessState ChangePassword(AccessState s, string name, string? passwordHash) => WithUser(s, name, User(s, name) with { PasswordHash = passwordHash });

    public static AccessState GrantRole(AccessState s, string user, string role)
    {
        var found = User(s, user);
        if (role != AccessState.Root) _ = Role(s, role);
        return found.Roles.Contains(role) ? s : WithUser(s, user, found with { Roles = [.. found.Roles.Append(role).Order(StringComparer.Ordinal)] });
    }

    public static AccessState RevokeRole(AccessState s, string user, string role)
    {
        if (s.Enabled && user == AccessState.Root && role == AccessState.Root) throw InvalidManagement;
        var found = User(s, user);
        if (!found.Roles.Contains(role)) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: role is not granted to the user");
        return WithUser(s, user, found with { Roles = [.. found.Roles.Where(r => r != role)] });
    }

    public static AccessState AddRole(AccessState s, string name)
    {
        if (name.Length == 0) throw new StoreException(StatusCode.InvalidArgument, "etcdserver: role name is empty");
        if (s.Roles.ContainsKey(name)) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: role name already exists");
        return s with { Roles = Copy(s.Roles, r => r[name] = []) };
    }

    public static AccessState DeleteRole(AccessState s, string name)
    {
        if (s.Enabled && name == AccessState.Root) throw InvalidManagement;
        _ = Role(s, name);
        return s with
        {
            Roles = Copy(s.Roles, r => r.Remove(name)),
            Users = Copy(s.Users, users =>
            {
                foreach (var (user, value) in s.Users) users[user] = value with { Roles = [.. value.Roles.Where(r => r != name)] };
            }),
        };
    }

    public static AccessState GrantPermission(AccessState s, string role, AccessPermission permission)
    {
        var rest = Role(s, role).Where(p => !p.SameRange(permission));
        return s with { Roles = Copy(s.Roles, r => r[role] = [.. rest.Append(permission)]) };
    }

    public static AccessState RevokePermission(AccessState s, string role, byte[] key, byte[] end)
    {
        var gone = new AccessPermission(0, key, end);
        var rest = Role(s, role).Where(p => !p.SameRange(gone)).ToList();
        if (rest.Count == Role(s, role).Count) throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: permission is not granted to the role");
        return s with { Roles = Copy(s.Roles, r => r[role] = rest) };
    }

    public static AccessUser User(AccessState s, string name) =>
        s.Users.GetValueOrDefault(name) ?? throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: user name not found");

    public static IReadOnlyList<AccessPermission> Role(AccessState s, string name) =>
        s.Roles.GetValueOrDefault(name) ?? throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: role name not found");

    private static StoreException UserEmpty => new(StatusCode.InvalidArgument, "etcdserver: user name is empty");

    private static StoreException InvalidManagement => new(StatusCode.InvalidArgument, "etcdserver: invalid auth management");

    private static AccessState WithUser(AccessState s, string name, AccessUser user) => s with { Users = Copy(s.Users, u => u[name] = user) };

    private static SortedDictionary<string, T> Copy<T>(SortedDictionary<string, T> from, Action<SortedDictionary<string, T>> change)
    {
        var copy = new SortedDictionary<string, T>(from, StringComparer.Ordinal);
        change(copy);
        return copy;
    }
}
