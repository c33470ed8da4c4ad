using Mesh.Security.Rbac;

namespace Mesh.Security.Tests.Rbac;

public sealed class RbacRuleTests
{
    private static RbacRule Rule(string verbs, string groups, string resources, string names = "", string urls = "") =>
        new(Split(verbs), groups.Split(' '), Split(resources), Split(names), Split(urls));

    private static string[] Split(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [Theory]
    [InlineData("get list", "", "pods", "", "get", "", "pods", "", "a", true)]
    [InlineData("get list", "", "pods", "", "delete", "", "pods", "", "a", false)]
    [InlineData("get", "", "pods", "", "get", "apps", "pods", "", "a", false)]
    [InlineData("*", "*", "*", "", "patch", "apps", "deployments", "scale", "a", true)]
    [InlineData("get", "", "pods", "", "get", "", "pods", "log", "a", false)]
    [InlineData("get", "", "pods/log", "", "get", "", "pods", "log", "a", true)]
    [InlineData("get", "", "pods/log", "", "get", "", "pods", "", "a", false)]
    [InlineData("update", "apps", "*/scale", "", "update", "apps", "deployments", "scale", "a", true)]
    [InlineData("update", "apps", "*/scale", "", "update", "apps", "deployments", "status", "a", false)]
    [InlineData("get", "", "configmaps", "a b", "get", "", "configmaps", "", "b", true)]
    [InlineData("get", "", "configmaps", "a b", "get", "", "configmaps", "", "c", false)]
    [InlineData("list", "", "configmaps", "a", "list", "", "configmaps", "", "", false)]
    public void Resources(string verbs, string groups, string resources, string names, string verb, string group, string resource, string subresource, string name, bool allowed) =>
        Assert.Equal(allowed, Rule(verbs, groups, resources, names).Allows(new RbacRequest(verb, "ns", group, resource, subresource, name)));

    [Theory]
    [InlineData("/healthz", "/healthz", true)]
    [InlineData("/healthz", "/healthz/etcd", false)]
    [InlineData("/healthz/*", "/healthz/etcd", true)]
    [InlineData("/healthz/*", "/healthz", false)]
    [InlineData("*", "/anything", true)]
    public void Paths(string pattern, string path, bool allowed) =>
        Assert.Equal(allowed, new RbacRule(["get"], [], [], [], [pattern]).Allows(RbacRequest.ForPath("get", path)));

    [Fact]
    public void A_resource_rule_is_no_path_rule() => Assert.False(Rule("*", "*", "*").Allows(RbacRequest.ForPath("get", "/metrics")));

    [Theory]
    [InlineData("*", "*", "*", "", "get", "", "pods", "", "")]
    [InlineData("get list", "", "pods services", "", "get", "", "pods", "", "")]
    [InlineData("get", "", "pods", "", "get list", "", "pods", "", """{APIGroups:[""], Resources:["pods"], Verbs:["list"]}""")]
    [InlineData("get", "", "pods", "", "get", "", "pods secrets", "", """{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}""")]
    [InlineData("get", "", "pods", "a", "get", "", "pods", "", """{APIGroups:[""], Resources:["pods"], Verbs:["get"]}""")]
    [InlineData("get", "", "pods", "a", "get", "", "pods", "a b", """{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}""")]
    [InlineData("get", "", "pods", "", "get", "", "pods", "a", "")]
    [InlineData("get", "", "*/scale", "", "get", "", "deployments/scale", "", "")]
    [InlineData("get", "", "pods", "", "*", "", "pods", "", """{APIGroups:[""], Resources:["pods"], Verbs:["*"]}""")]
    public void Escalation(string verbs, string groups, string resources, string names, string wantVerbs, string wantGroups, string wantResources, string wantNames, string missing)
    {
        var answer = RuleCover.Missing([Rule(verbs, groups, resources, names)], [Rule(wantVerbs, wantGroups, wantResources, wantNames)]);
        Assert.Equal(missing, string.Join("\n", answer.Select(m => m.ToCompactString())));
    }

    [Fact]
    public void Several_rules_cover_together()
    {
        var held = new[] { Rule("get", "", "pods"), Rule("list", "", "pods") };
        Assert.Empty(RuleCover.Missing(held, [Rule("get list", "", "pods")]));
        Assert.Equal(
            "attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"apps\"], Resources:[\"deployments\"], Verbs:[\"get\" \"list\"]}",
            RuleCover.Describe(RuleCover.Missing(held, [Rule("get list", " apps", "pods deployments").Without("", "deployments").Without("apps", "pods")])));
    }

    [Fact]
    public void Paths_are_covered_by_patterns()
    {
        RbacRule Url(string url) => new(["get"], [], [], [], [url]);
        Assert.Empty(RuleCover.Missing([Url("/api/*")], [Url("/api/v1")]));
        Assert.Single(RuleCover.Missing([Url("/api/v1")], [Url("/api/*")]));
    }
}

internal static class RuleExtensions
{
    // A rule is a product of groups and resources; the test wants only the pairs that make sense.
    public static RbacRule Without(this RbacRule rule, string group, string resource) =>
        group.Length == 0 ? rule with { ApiGroups = [.. rule.ApiGroups.Where(g => g.Length > 0)] } : rule with { Resources = [.. rule.Resources.Where(r => r != resource)] };
}
