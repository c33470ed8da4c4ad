using System.Text;

namespace Mesh.Security.Rbac;

/// <summary>One rule of a role (rbac.authorization.k8s.io PolicyRule).</summary>
public sealed record RbacRule(
    IReadOnlyList<string> Verbs,
    IReadOnlyList<string> ApiGroups,
    IReadOnlyList<string> Resources,
    IReadOnlyList<string> ResourceNames,
    IReadOnlyList<string> NonResourceUrls)
{
    private const string All = "*";

    /// <summary>Whether the rule allows the request.</summary>
    public bool Allows(in RbacRequest request) => request.IsResource
        ? Has(Verbs, request.Verb)
            && Has(ApiGroups, request.ApiGroup)
            && HasResource(request.Resource, request.Subresource)
            && (ResourceNames.Count == 0 || (request.Name.Length > 0 && ResourceNames.Contains(request.Name)))
        : Has(Verbs, request.Verb) && HasPath(request.Path);

    /// <summary>The rule as Kubernetes prints it in refusals: <c>{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}</c>.</summary>
    public string ToCompactString()
    {
        var text = new StringBuilder("{");
        Part("APIGroups", ApiGroups);
        Part("Resources", Resources);
        Part("NonResourceURLs", NonResourceUrls);
        Part("ResourceNames", ResourceNames);
        Part("Verbs", Verbs);
        return text.Append('}').ToString();

        void Part(string name, IReadOnlyList<string> values)
        {
            if (values.Count == 0) return;
            if (text.Length > 1) text.Append(", ");
            text.Append(name).Append(":[").AppendJoin(' ', values.Select(v => $"\"{v}\"")).Append(']');
        }
    }

    private static bool Has(IReadOnlyList<string> values, string wanted)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] == All || values[i] == wanted) return true;
        }

        return false;
    }

    // "pods" is the resource alone, "pods/log" its subresource, "*/log" that subresource of any resource, "*" everything.
    private bool HasResource(string resource, string subresource)
    {
        for (var i = 0; i < Resources.Count; i++)
        {
            var rule = Resources[i];
            if (rule == All) return true;
            if (subresource.Length == 0)
            {
                if (rule == resource) return true;
                continue;
            }

            var slash = rule.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || !rule.AsSpan(slash + 1).SequenceEqual(subresource)) continue;
            var owner = rule.AsSpan(0, slash);
            if (owner.SequenceEqual(resource) || owner.SequenceEqual(All)) return true;
        }

        return false;
    }

    private bool HasPath(string path)
    {
        for (var i = 0; i < NonResourceUrls.Count; i++)
        {
            if (PathCovers(NonResourceUrls[i], path)) return true;
        }

        return false;
    }

    /// <summary>Whether a path pattern (exact, or ending in *) takes in a path.</summary>
    internal static bool PathCovers(string pattern, string path) =>
        pattern == All || pattern == path
        || (pattern.EndsWith('*') && path.StartsWith(pattern.TrimEnd('*'), StringComparison.Ordinal));
}
