using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Caching;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Tests.Admission;
using Mesh.Security;
using Mesh.Security.Rbac;
using Xunit;

namespace Mesh.Gateway.Tests.Authorization;

public sealed class BootstrapTests
{
    [Fact]
    public void Every_binding_finds_its_role_and_no_name_is_twice()
    {
        var all = BootstrapPolicy.Load();
        var names = all.Select(o => (o.Text("kind"), o.NamespaceOf(), o.Name())).ToHashSet();
        Assert.Equal(all.Count, names.Count);
        foreach (var binding in all.Where(o => o["roleRef"] is not null))
        {
            Assert.Contains((binding.Text("roleRef", "kind"), binding.NamespaceOf(), binding.Text("roleRef", "name")), names);
        }
    }

    [Fact]
    public void Rules_name_resources_that_exist()
    {
        // Asked of the resource table, but for what only other servers serve or what is no resource.
        string[] elsewhere = ["metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io", "*", "resource.k8s.io", "certificates.k8s.io", "coordination.k8s.io"];
        var unknown = new List<string>();
        foreach (var rule in BootstrapPolicy.Load().SelectMany(o => RbacJson.ReadRules(o)))
        {
            foreach (var group in rule.ApiGroups.Where(g => !elsewhere.Contains(g)))
            {
                unknown.AddRange(rule.Resources.Select(r => r.Split('/')[0]).Where(r => r != "*" && !ResourceTable.All.Any(a => a.Group == group && a.Plural == r)).Select(r => $"{group}/{r}"));
            }
        }

        Assert.Equal([], unknown.Distinct());
    }

    [Fact]
    public async Task A_second_start_writes_nothing_and_damage_is_repaired()
    {
        var store = new MemoryObjects();
        var all = BootstrapPolicy.Load();
        Assert.Equal(all.Count, await BootstrapReconciler.ReconcileAsync(store, all, default));
        Assert.Equal(0, await BootstrapReconciler.ReconcileAsync(store, BootstrapPolicy.Load(), default));

        await store.DeleteAsync(RbacResources.ClusterRoles, null, "system:discovery", default);
        store.Add(RbacResources.ClusterRoles, """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"system:kube-dns","annotations":{},"labels":{}},
             "rules":[{"apiGroups":[""],"resources":["endpoints"],"verbs":["list","watch"]},{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}]}
            """);
        store.Add(RbacResources.ClusterRoles, """
            {"kind":"ClusterRole","metadata":{"name":"system:basic-user","annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}},"rules":[]}
            """);
        Assert.Equal(2, await BootstrapReconciler.ReconcileAsync(store, BootstrapPolicy.Load(), default));
        var repaired = RbacJson.ReadRules((await store.GetAsync(RbacResources.ClusterRoles, null, "system:kube-dns", default))!);
        Assert.Contains(repaired, r => r.Allows(new RbacRequest("watch", "", "", "services")));
        Assert.Contains(repaired, r => r.Allows(new RbacRequest("get", "", "", "secrets", "", "x")));
    }

    [Theory]
    [InlineData("system:kube-scheduler", "", "create", "", "pods/binding", true)]
    [InlineData("system:kube-scheduler", "", "create", "", "pods", false)]
    [InlineData("system:kube-proxy", "", "watch", "discovery.k8s.io", "endpointslices", true)]
    [InlineData("system:kube-proxy", "", "get", "", "secrets", false)]
    [InlineData("system:kube-dns", "", "list", "", "pods", true)]
    [InlineData("system:kube-controller-manager", "", "create", "", "pods", true)]
    [InlineData("system:kube-controller-manager", "", "update", "apps", "deployments/status", true)]
    [InlineData("system:kube-controller-manager", "", "create", "rbac.authorization.k8s.io", "clusterrolebindings", false)]
    [InlineData("system:serviceaccount:kube-system:job-controller", "", "create", "", "pods", true)]
    [InlineData("kubernetes-admin", "kubeadm:cluster-admins", "delete", "apps", "deployments", true)]
    [InlineData("alice", "system:authenticated", "create", "authorization.k8s.io", "selfsubjectaccessreviews", true)]
    [InlineData("alice", "system:authenticated", "list", "", "pods", false)]
    public async Task Who_may_what_by_default(string user, string group, string verb, string apiGroup, string resource, bool allowed)
    {
        var store = new MemoryObjects();
        await BootstrapReconciler.ReconcileAsync(store, BootstrapPolicy.Load(), default);
        using var rbac = new RbacAuthorizer(store, new SharedDecisions(new MemoryCache(TimeProvider.System), TimeProvider.System));
        var parts = resource.Split('/');
        var result = await rbac.AuthorizeAsync(
            new AuthorizationAttributes
            {
                User = new UserInfo(user, "", group.Length == 0 ? [] : [group]),
                Verb = verb,
                Group = apiGroup,
                Version = "v1",
                Resource = parts[0],
                Subresource = parts.Length > 1 ? parts[1] : "",
                Namespace = "ns",
                Name = "x",
            },
            default);
        Assert.Equal(allowed, result.Allowed);
    }

    [Fact]
    public async Task Aggregated_roles_sum_up()
    {
        var store = new MemoryObjects();
        await BootstrapReconciler.ReconcileAsync(store, BootstrapPolicy.Load(), default);
        store.Add(RbacResources.ClusterRoles, """
            {"kind":"ClusterRole","metadata":{"name":"crontabs","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},
             "rules":[{"apiGroups":["stable.example.com"],"resources":["crontabs"],"verbs":["get"]}]}
            """);
        using var rbac = new RbacAuthorizer(store, new SharedDecisions(new MemoryCache(TimeProvider.System), TimeProvider.System));
        var policy = await rbac.PolicyAsync(default);
        foreach (var role in new[] { "view", "edit", "admin" })
        {
            Assert.Contains(policy.RulesOf("ClusterRole", role, null)!, r => r.Allows(new RbacRequest("get", "ns", "stable.example.com", "crontabs", "", "a")));
        }

        bool Can(string role, string verb, string group, string resource) => policy.RulesOf("ClusterRole", role, null)!.Any(r => r.Allows(new RbacRequest(verb, "ns", group, resource, "", "a")));
        Assert.False(Can("view", "get", "", "secrets"));
        Assert.True(Can("edit", "update", "", "secrets"));
        Assert.False(Can("edit", "create", RbacResources.Group, "rolebindings"));
        Assert.True(Can("admin", "create", RbacResources.Group, "rolebindings"));
    }

    [Theory]
    [InlineData("  get core pods", "line 1: a rule without a role")]
    [InlineData("frob x", "line 1: frob x")]
    [InlineData("clusterrole x\n  get", "line 2: not a rule")]
    public void Broken_policy_names_the_line(string text, string message) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => BootstrapPolicy.Parse(text)).Message);
}
