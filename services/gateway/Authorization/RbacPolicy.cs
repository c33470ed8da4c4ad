using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Security;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>
/// All roles and bindings, compiled once for a state of the four resources: from a user or a group straight to its rules.
/// Never changes; a change of any role or binding makes a new one.
/// </summary>
internal sealed class RbacPolicy
{
    private readonly Dictionary<string, List<Grant>> _users = [];
    private readonly Dictionary<string, List<Grant>> _groups = [];
    private readonly Dictionary<string, JsonObject> _clusterRoles;
    private readonly Dictionary<(string Namespace, string Name), RbacRule[]> _roles;
    private readonly Dictionary<string, RbacRule[]> _clusterRules = [];

    public RbacPolicy(
        IReadOnlyList<JsonObject> roles, IReadOnlyList<JsonObject> clusterRoles, IReadOnlyList<JsonObject> roleBindings, IReadOnlyList<JsonObject> clusterRoleBindings)
    {
        Fingerprint = Hash([roles, clusterRoles, roleBindings, clusterRoleBindings]);
        _clusterRoles = clusterRoles.ToDictionary(r => r.Name());
        _roles = roles.ToDictionary(r => (r.NamespaceOf(), r.Name()), r => RbacJson.ReadRules(r));
        foreach (var binding in clusterRoleBindings) Bind(binding, null);
        foreach (var binding in roleBindings) Bind(binding, binding.NamespaceOf());
    }

    /// <summary>The same for two policies only when they were compiled from the same objects at the same revisions.</summary>
    public string Fingerprint { get; }

    /// <summary>The rules of a role that a binding refers to; null when it does not exist. Aggregated roles have the rules of all they sum up.</summary>
    public IReadOnlyList<RbacRule>? RulesOf(string kind, string name, string? ns) => kind == "ClusterRole"
        ? ClusterRules(name)
        : ns is not null && _roles.TryGetValue((ns, name), out var rules) ? rules : null;

    /// <summary>Whether the user may; the reason names the binding, or what was missing.</summary>
    public AuthorizationResult Authorize(UserInfo user, in RbacRequest request)
    {
        List<string>? errors = null;
        foreach (var grant in GrantsOf(user))
        {
            if (grant.Namespace is not null && grant.Namespace != request.Namespace) continue;
            if (grant.Rules is null)
            {
                (errors ??= []).Add(grant.Missing);
                continue;
            }

            foreach (var rule in grant.Rules)
            {
                if (rule.Allows(request)) return new AuthorizationResult(AuthorizationDecision.Allow, grant.Reason);
            }
        }

        return errors is null
            ? new AuthorizationResult(AuthorizationDecision.NoOpinion)
            : new AuthorizationResult(AuthorizationDecision.NoOpinion, "RBAC: " + string.Join(", ", errors.Distinct()), string.Join(", ", errors.Distinct()));
    }

    /// <summary>Every rule the user holds in a namespace ("" for those of the whole cluster only).</summary>
    public IReadOnlyList<RbacRule> RulesFor(UserInfo user, string ns) =>
        [.. GrantsOf(user).Where(g => g.Namespace is null || g.Namespace == ns).SelectMany(g => g.Rules ?? [])];

    private IEnumerable<Grant> GrantsOf(UserInfo user)
    {
        if (_users.TryGetValue(user.Name, out var own))
        {
            foreach (var grant in own) yield return grant;
        }

        for (var i = 0; i < user.Groups.Count; i++)
        {
            if (!_groups.TryGetValue(user.Groups[i], out var grants)) continue;
            foreach (var grant in grants) yield return grant;
        }
    }

    private static string Hash(IReadOnlyList<JsonObject>[] lists)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var list in lists)
        {
            foreach (var item in list) hash.AppendData(Encoding.UTF8.GetBytes($"{item.Uid()} {item.Text("metadata", "resourceVersion")}\n"));
            hash.AppendData("\n"u8);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void Bind(JsonObject binding, string? ns)
    {
        var kind = binding.Text("roleRef", "kind");
        var role = binding.Text("roleRef", "name");
        var rules = RulesOf(kind, role, ns);
        var missing = $"{kind.ToLowerInvariant()}.{RbacResources.Group} \"{role}\" not found";
        var place = ns is null ? $"ClusterRoleBinding \"{binding.Name()}\"" : $"RoleBinding \"{binding.Name()}/{ns}\"";
        foreach (var subject in binding.Objects("subjects"))
        {
            var name = subject.Text("name");
            var (table, key, described) = subject.Text("kind") switch
            {
                "User" => (_users, name, $"User \"{name}\""),
                "Group" => (_groups, name, $"Group \"{name}\""),
                "ServiceAccount" => Account(subject.Text("namespace") is { Length: > 0 } own ? own : ns ?? "", name),
                _ => (null, "", ""),
            };
            if (table is null) continue;
            if (!table.TryGetValue(key, out var grants)) table[key] = grants = [];
            grants.Add(new Grant(ns, rules, $"RBAC: allowed by {place} of {kind} \"{role}\" to {described}", missing));
        }
    }

    private (Dictionary<string, List<Grant>> Table, string Key, string Described) Account(string ns, string name) =>
        (_users, UserNames.ServiceAccount(ns, name), $"ServiceAccount \"{name}/{ns}\"");

    private RbacRule[]? ClusterRules(string name)
    {
        if (_clusterRules.TryGetValue(name, out var known)) return known;
        if (!_clusterRoles.TryGetValue(name, out var role)) return null;
        _clusterRules[name] = []; // ends a circle of aggregation
        var rules = new List<RbacRule>(RbacJson.ReadRules(role));
        var selectors = role.Objects("aggregationRule", "clusterRoleSelectors").ToArray();
        if (selectors.Length > 0)
        {
            foreach (var (other, candidate) in _clusterRoles)
            {
                if (other != name && selectors.Any(s => LabelMatch.Matches(s, candidate.At("metadata", "labels")))) rules.AddRange(ClusterRules(other) ?? []);
            }
        }

        return _clusterRules[name] = [.. rules];
    }

    private sealed record Grant(string? Namespace, IReadOnlyList<RbacRule>? Rules, string Reason, string Missing);
}
