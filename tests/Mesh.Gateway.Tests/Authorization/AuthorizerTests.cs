using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Caching;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Tests.Admission;
using Mesh.Security;
using Xunit;

namespace Mesh.Gateway.Tests.Authorization;

public sealed class AuthorizerTests : IDisposable
{
    private readonly MemoryObjects _objects = new();
    private readonly RbacAuthorizer _rbac;
    private readonly AuthorizerChain _chain;

    public AuthorizerTests()
    {
        foreach (var obj in BootstrapPolicy.Load()) _objects.Put(Resource(obj.Text("kind")), obj);
        _objects.Add(RbacResources.Roles, """{"kind":"Role","metadata":{"name":"reader","namespace":"dev"},"rules":[{"apiGroups":[""],"resources":["pods","pods/log"],"verbs":["get","list"]}]}""");
        _objects.Add(RbacResources.RoleBindings, """
            {"kind":"RoleBinding","metadata":{"name":"b","namespace":"dev"},"roleRef":{"kind":"Role","name":"reader"},
             "subjects":[{"kind":"User","name":"alice"},{"kind":"ServiceAccount","name":"ci"},{"kind":"Group","name":"devs"}]}
            """);
        _objects.Add(RbacResources.RoleBindings, """
            {"kind":"RoleBinding","metadata":{"name":"grantor","namespace":"dev"},"roleRef":{"kind":"ClusterRole","name":"admin"},"subjects":[{"kind":"User","name":"bob"}]}
            """);
        _objects.Add(RbacResources.ClusterRoleBindings, """
            {"kind":"ClusterRoleBinding","metadata":{"name":"lost"},"roleRef":{"kind":"ClusterRole","name":"nowhere"},"subjects":[{"kind":"User","name":"carol"}]}
            """);
        _rbac = new RbacAuthorizer(_objects, new SharedDecisions(new MemoryCache(TimeProvider.System), TimeProvider.System));
        _chain = new AuthorizerChain(new NodeAuthorizer(_objects, _rbac), _rbac);
    }

    public void Dispose() => _rbac.Dispose();

    private static ApiResource Resource(string kind) => kind switch
    {
        "Role" => RbacResources.Roles,
        "ClusterRole" => RbacResources.ClusterRoles,
        "RoleBinding" => RbacResources.RoleBindings,
        _ => RbacResources.ClusterRoleBindings,
    };

    private static AuthorizationAttributes Ask(string user, string groups, string verb, string resource, string ns = "", string name = "", string group = "") => new()
    {
        User = new UserInfo(user, "", groups.Split(',', StringSplitOptions.RemoveEmptyEntries)),
        Verb = verb,
        Group = group,
        Version = "v1",
        Resource = resource.Split('/')[0],
        Subresource = resource.Contains('/') ? resource.Split('/')[1] : "",
        Namespace = ns,
        Name = name,
    };

    [Theory]
    [InlineData("alice", "", "list", "pods", "dev", true)]
    [InlineData("alice", "", "list", "pods", "prod", false)]
    [InlineData("alice", "", "list", "pods", "", false)]
    [InlineData("alice", "", "get", "pods/log", "dev", true)]
    [InlineData("alice", "", "get", "pods/exec", "dev", false)]
    [InlineData("system:serviceaccount:dev:ci", "", "list", "pods", "dev", true)]
    [InlineData("system:serviceaccount:prod:ci", "", "list", "pods", "dev", false)]
    [InlineData("dave", "devs", "get", "pods", "dev", true)]
    [InlineData("eve", "system:masters", "delete", "nodes", "", true)]
    public async Task Rbac(string user, string groups, string verb, string resource, string ns, bool allowed)
    {
        var ask = Ask(user, groups, verb, resource, ns);
        Assert.Equal(allowed, (await _chain.AuthorizeAsync(ask, default)).Allowed);
        Assert.Equal(allowed, (await _chain.AuthorizeAsync(ask, default)).Allowed);
    }

    [Fact]
    public async Task A_changed_binding_counts_at_once()
    {
        var ask = Ask("frank", "", "list", "pods", "dev");
        Assert.False((await _chain.AuthorizeAsync(ask, default)).Allowed);
        _objects.Add(RbacResources.RoleBindings, """{"kind":"RoleBinding","metadata":{"name":"f","namespace":"dev"},"roleRef":{"kind":"Role","name":"reader"},"subjects":[{"kind":"User","name":"frank"}]}""");
        Assert.True((await _chain.AuthorizeAsync(ask, default)).Allowed);
        await _objects.DeleteAsync(RbacResources.RoleBindings, "dev", "f", default);
        Assert.False((await _chain.AuthorizeAsync(ask, default)).Allowed);
    }

    [Fact]
    public async Task Refusals_say_what_Kubernetes_says()
    {
        async Task<string> Say(AuthorizationAttributes a) => Refusal.For(a, await _chain.AuthorizeAsync(a, default)).Message!;
        Assert.Equal("pods is forbidden: User \"x\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"", await Say(Ask("x", "", "list", "pods", "default")));
        Assert.Equal("nodes \"n\" is forbidden: User \"x\" cannot get resource \"nodes\" in API group \"\" at the cluster scope", await Say(Ask("x", "", "get", "nodes", "", "n")));
        Assert.Equal(
            "deployments.apps \"d\" is forbidden: User \"x\" cannot update resource \"deployments/scale\" in API group \"apps\" in the namespace \"ns\"",
            await Say(Ask("x", "", "update", "deployments/scale", "ns", "d", "apps")));
        Assert.Equal(
            "forbidden: User \"system:anonymous\" cannot get path \"/x\"",
            await Say(new AuthorizationAttributes { User = UserInfo.Anonymous, Verb = "get", IsResourceRequest = false, Path = "/x" }));
        Assert.Equal(
            "pods is forbidden: User \"carol\" cannot list resource \"pods\" in API group \"\" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io \"nowhere\" not found",
            await Say(Ask("carol", "", "list", "pods")));
    }

    [Theory]
    [InlineData("/healthz", true)]
    [InlineData("/version", true)]
    [InlineData("/metrics", false)]
    [InlineData("/api", false)]
    public async Task Anonymous_sees_only_what_is_public(string path, bool allowed) => Assert.Equal(
        allowed, (await _chain.AuthorizeAsync(new AuthorizationAttributes { User = UserInfo.Anonymous, Verb = "get", IsResourceRequest = false, Path = path }, default)).Allowed);

    [Theory]
    [InlineData("get", "secrets", "ns", "used", true)]
    [InlineData("get", "secrets", "ns", "other", false)]
    [InlineData("list", "secrets", "ns", "", false)]
    [InlineData("get", "secrets", "elsewhere", "used", false)]
    [InlineData("get", "configmaps", "ns", "settings", true)]
    [InlineData("get", "pods", "ns", "mine", true)]
    [InlineData("get", "pods", "ns", "theirs", false)]
    [InlineData("get", "nodes", "", "n1", true)]
    [InlineData("get", "nodes", "", "n2", false)]
    [InlineData("create", "serviceaccounts/token", "ns", "default", true)]
    [InlineData("create", "serviceaccounts/token", "ns", "powerful", false)]
    [InlineData("list", "services", "", "", true)]
    [InlineData("delete", "nodes", "", "n1", false)]
    public async Task Nodes_reach_their_own(string verb, string resource, string ns, string name, bool allowed)
    {
        _objects.Add(RbacResources.Pods, """
            {"kind":"Pod","metadata":{"name":"mine","namespace":"ns"},"spec":{"nodeName":"n1","serviceAccountName":"default",
             "volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"settings"}}]}}],
             "containers":[{"name":"c","envFrom":[{"secretRef":{"name":"used"}}]}]}}
            """);
        _objects.Add(RbacResources.Pods, """
            {"kind":"Pod","metadata":{"name":"theirs","namespace":"ns"},"spec":{"nodeName":"n2","serviceAccountName":"powerful","volumes":[{"name":"v","secret":{"secretName":"other"}}]}}
            """);
        Assert.Equal(allowed, (await _chain.AuthorizeAsync(Ask("system:node:n1", "system:nodes", verb, resource, ns, name), default)).Allowed);
    }

    [Theory]
    [InlineData("spec.nodeName=n1", true)]
    [InlineData("status.phase=Running,spec.nodeName=n1", true)]
    [InlineData("spec.nodeName=n2", false)]
    [InlineData("", false)]
    public async Task Nodes_watch_only_their_pods(string selector, bool allowed) => Assert.Equal(
        allowed, (await _chain.AuthorizeAsync(Ask("system:node:n1", "system:nodes", "watch", "pods") with { FieldSelector = selector }, default)).Allowed);

    [Theory]
    [InlineData("bob", "ClusterRole", "view", "dev", null)]
    [InlineData("bob", "ClusterRole", "edit", "dev", null)]
    [InlineData("bob", "ClusterRole", "cluster-admin", "dev", "attempting to grant RBAC permissions not currently held")]
    [InlineData("bob", "Role", "absent", "dev", "roles.rbac.authorization.k8s.io \"absent\" not found")]
    [InlineData("alice", "ClusterRole", "view", "dev", "user \"alice\" (groups=[]) is attempting to grant")]
    public async Task Binding_gives_only_what_is_held(string user, string kind, string role, string ns, string? refusal)
    {
        var attributes = new AdmissionAttributes
        {
            Operation = AdmissionOperation.Create,
            Resource = RbacResources.RoleBindings,
            Namespace = ns,
            Name = "new",
            User = new UserInfo(user, "", []),
            Object = JsonNode.Parse($$"""{"metadata":{"name":"new"},"roleRef":{"kind":"{{kind}}","name":"{{role}}"},"subjects":[{"kind":"User","name":"zoe"}]}""")!.AsObject(),
        };
        var failure = await Record.ExceptionAsync(async () => await new EscalationCheck(_rbac, _chain).ValidateAsync(attributes, default));
        if (refusal is null) Assert.Null(failure);
        else Assert.Contains(refusal, failure!.Message);
    }

    [Fact]
    public async Task Writing_a_role_needs_its_rules()
    {
        AdmissionAttributes Role(string user, string rules, string? old = null) => new()
        {
            Operation = old is null ? AdmissionOperation.Create : AdmissionOperation.Update,
            Resource = RbacResources.Roles,
            Namespace = "dev",
            Name = "r",
            User = new UserInfo(user, "", []),
            Object = JsonNode.Parse($$"""{"metadata":{"name":"r"},"rules":{{rules}}}""")!.AsObject(),
            OldObject = old is null ? null : JsonNode.Parse($$"""{"metadata":{"name":"r"},"rules":{{old}}}""")!.AsObject(),
        };
        var check = new EscalationCheck(_rbac, _chain);
        await check.ValidateAsync(Role("alice", """[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]"""), default);
        const string Nodes = """[{"apiGroups":[""],"resources":["nodes"],"verbs":["delete"]}]""";
        var refused = await Assert.ThrowsAsync<ApiException>(async () => await check.ValidateAsync(Role("alice", Nodes), default));
        Assert.Equal(
            "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"alice\" (groups=[]) is attempting to grant RBAC permissions not currently held:\n"
            + "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"delete\"]}", refused.Message);
        await check.ValidateAsync(Role("alice", Nodes, Nodes), default);
    }

    [Fact]
    public async Task Reviews_answer()
    {
        var reviews = new AccessReviews(_chain, _rbac);
        async Task<JsonObject> Ask(string kind, string plural, string json, string ns = "") => await reviews.CreateAsync(
            ResourceTable.Find("authorization.k8s.io", "v1", plural)!, ns, JsonNode.Parse(json)!.AsObject(), new UserInfo("alice", "", []), default);
        var yes = await Ask("", "selfsubjectaccessreviews", """{"spec":{"resourceAttributes":{"verb":"list","resource":"pods","namespace":"dev"}}}""");
        Assert.True(yes.Flag("status", "allowed"));
        Assert.Equal("RBAC: allowed by RoleBinding \"b/dev\" of Role \"reader\" to User \"alice\"", yes.Text("status", "reason"));
        var no = await Ask("", "subjectaccessreviews", """{"spec":{"user":"zoe","resourceAttributes":{"verb":"list","resource":"pods","namespace":"dev"}}}""");
        Assert.False(no.Flag("status", "allowed"));
        var path = await Ask("", "subjectaccessreviews", """{"spec":{"groups":["system:authenticated"],"nonResourceAttributes":{"verb":"get","path":"/api"}}}""");
        Assert.True(path.Flag("status", "allowed"));
        var rules = await Ask("", "selfsubjectrulesreviews", """{"spec":{"namespace":"dev"}}""");
        Assert.Contains(rules.Objects("status", "resourceRules"), r => r.Texts("resources").Contains("pods/log"));
        await Assert.ThrowsAsync<ApiException>(() => Ask("", "subjectaccessreviews", """{"spec":{"user":"zoe"}}"""));
        await Assert.ThrowsAsync<ApiException>(() => Ask("", "subjectaccessreviews", """{"spec":{"resourceAttributes":{"verb":"get"}}}"""));
        var elsewhere = await Assert.ThrowsAsync<ApiException>(() => Ask("", "localsubjectaccessreviews", """{"spec":{"user":"a","resourceAttributes":{"verb":"get","namespace":"x"}}}""", "dev"));
        Assert.Equal(422, elsewhere.Code);
    }
}
