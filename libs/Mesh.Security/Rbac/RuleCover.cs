namespace Mesh.Security.Rbac;

/// <summary>
/// Escalation check: whoever writes a role or a binding must already hold what it gives. Rules are broken into atoms (one verb, one
/// group, one resource, one name; or one verb, one path), and each atom must be held by some rule of the writer.
/// </summary>
public static class RuleCover
{
    /// <summary>The atoms of the wanted rules that the held ones do not cover, put together again into short rules; empty when all is covered.</summary>
    public static IReadOnlyList<RbacRule> Missing(IReadOnlyList<RbacRule> held, IReadOnlyList<RbacRule> wanted)
    {
        var missing = new List<RbacRule>();
        foreach (var atom in wanted.SelectMany(Atoms))
        {
            if (!held.Any(h => Covers(h, atom))) missing.Add(atom);
        }

        return Compact(missing);
    }

    /// <summary>The end of the refusal Kubernetes gives, from "attempting to grant" on.</summary>
    public static string Describe(IReadOnlyList<RbacRule> missing) =>
        "attempting to grant RBAC permissions not currently held:\n"
        + string.Join("\n", missing.Select(m => m.ToCompactString()).Order(StringComparer.Ordinal));

    private static IEnumerable<RbacRule> Atoms(RbacRule rule)
    {
        foreach (var group in rule.ApiGroups)
        {
            foreach (var resource in rule.Resources)
            {
                foreach (var verb in rule.Verbs)
                {
                    if (rule.ResourceNames.Count == 0) yield return new RbacRule([verb], [group], [resource], [], []);
                    foreach (var name in rule.ResourceNames) yield return new RbacRule([verb], [group], [resource], [name], []);
                }
            }
        }

        foreach (var url in rule.NonResourceUrls)
        {
            foreach (var verb in rule.Verbs) yield return new RbacRule([verb], [], [], [], [url]);
        }
    }

    private static bool Covers(RbacRule held, RbacRule atom)
    {
        if (!HasOrAll(held.Verbs, atom.Verbs[0])) return false;
        if (atom.NonResourceUrls.Count > 0) return held.NonResourceUrls.Any(u => RbacRule.PathCovers(u, atom.NonResourceUrls[0]));
        return HasOrAll(held.ApiGroups, atom.ApiGroups[0])
            && CoversResource(held.Resources, atom.Resources[0])
            && (held.ResourceNames.Count == 0 || (atom.ResourceNames.Count > 0 && held.ResourceNames.Contains(atom.ResourceNames[0])));
    }

    private static bool HasOrAll(IReadOnlyList<string> values, string wanted) => values.Contains("*") || values.Contains(wanted);

    private static bool CoversResource(IReadOnlyList<string> held, string wanted)
    {
        if (held.Contains("*") || held.Contains(wanted)) return true;
        var slash = wanted.IndexOf('/', StringComparison.Ordinal);
        return slash >= 0 && held.Contains("*" + wanted[slash..]);
    }

    private static List<RbacRule> Compact(List<RbacRule> atoms)
    {
        var compact = new List<RbacRule>();
        foreach (var group in atoms.GroupBy(a => (Only(a.ApiGroups), Only(a.Resources), Only(a.ResourceNames), Only(a.NonResourceUrls))))
        {
            var verbs = group.SelectMany(a => a.Verbs).Distinct().ToArray();
            compact.Add(group.First() with { Verbs = verbs });
        }

        return compact;
    }

    private static string? Only(IReadOnlyList<string> values) => values.Count == 0 ? null : values[0];
}
