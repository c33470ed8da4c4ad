using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Security;

namespace Mesh.Gateway.Authentication;

/// <summary>
/// "Impersonate-User", "-Group", "-Uid", "-Extra-*": speaks as somebody else, when RBAC gives the verb impersonate on each part
/// (<c>kubectl --as</c>).
/// </summary>
internal static class Impersonation
{
    private const string UserHeader = "Impersonate-User";
    private const string GroupHeader = "Impersonate-Group";
    private const string UidHeader = "Impersonate-Uid";
    private const string ExtraPrefix = "Impersonate-Extra-";

    /// <summary>
    /// The user to go on with: the one asked for, or the requester when no such header is there. Throws 403 when it is not allowed,
    /// 400 when a group or extra comes without a user.
    /// </summary>
    public static async ValueTask<UserInfo> ApplyAsync(
        UserInfo requester, IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> headers, IAuthorizer authorizer, CancellationToken ct)
    {
        string? name = null;
        var uid = "";
        var groups = new List<string>();
        Dictionary<string, IReadOnlyList<string>>? extra = null;
        var asked = false;
        foreach (var (header, values) in headers)
        {
            if (!header.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase)) continue;
            asked = true;
            if (header.Equals(UserHeader, StringComparison.OrdinalIgnoreCase)) name = values.Count > 0 ? values[0] : null;
            else if (header.Equals(UidHeader, StringComparison.OrdinalIgnoreCase)) uid = values.Count > 0 ? values[0] : "";
            else if (header.Equals(GroupHeader, StringComparison.OrdinalIgnoreCase)) groups.AddRange(values);
            else if (header.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase))
            {
                (extra ??= [])[Uri.UnescapeDataString(header[ExtraPrefix.Length..]).ToLowerInvariant()] = values;
            }
        }

        if (!asked) return requester;
        if (string.IsNullOrEmpty(name))
        {
            throw Statuses.BadRequest("requested impersonation of groups, uid or extra without impersonating a user").ToException();
        }

        if (UserNames.TrySplitServiceAccount(name, out var ns, out var account))
        {
            await CheckAsync("serviceaccounts", "", account, ns, "");
            if (groups.Count == 0) groups.AddRange(UserNames.ServiceAccountGroups(ns));
        }
        else
        {
            await CheckAsync("users", "", name, "", "");
        }

        foreach (var group in groups)
        {
            if (!(account is { Length: > 0 } && UserNames.ServiceAccountGroups(ns).Contains(group))) await CheckAsync("groups", "", group, "", "");
        }

        if (uid.Length > 0) await CheckAsync("uids", "authentication.k8s.io", uid, "", "");
        foreach (var (key, values) in extra ?? [])
        {
            foreach (var value in values) await CheckAsync("userextras", "authentication.k8s.io", value, "", key);
        }

        if (name == UserNames.Anonymous)
        {
            if (!groups.Contains(UserNames.Unauthenticated)) groups.Add(UserNames.Unauthenticated);
        }
        else if (!groups.Contains(UserNames.Authenticated) && !groups.Contains(UserNames.Unauthenticated))
        {
            groups.Add(UserNames.Authenticated);
        }

        return new UserInfo(name, uid, groups, extra);

        async ValueTask CheckAsync(string resource, string group, string what, string space, string subresource)
        {
            var attributes = new AuthorizationAttributes
            {
                User = requester,
                Verb = "impersonate",
                Group = group,
                Version = "v1",
                Resource = resource,
                Subresource = subresource,
                Namespace = space,
                Name = what,
            };
            var result = await authorizer.AuthorizeAsync(attributes, ct);
            if (!result.Allowed) throw Refusal.For(attributes, result).ToException();
        }
    }
}
