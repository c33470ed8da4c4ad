using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Authorization;
using Mesh.Security;
using Xunit;

namespace Mesh.Gateway.Tests.Admission;

public sealed class AdmissionTests
{
    private readonly MemoryObjects _objects = new MemoryObjects()
        .Add(RbacResources.Namespaces, """{"metadata":{"name":"ns"},"status":{"phase":"Active"}}""")
        .Add(RbacResources.Namespaces, """{"metadata":{"name":"going"},"status":{"phase":"Terminating"}}""")
        .Add(RbacResources.ServiceAccounts, """{"metadata":{"name":"default","namespace":"ns"},"imagePullSecrets":[{"name":"pull"}]}""")
        .Add(RbacResources.ServiceAccounts, """{"metadata":{"name":"quiet","namespace":"ns"},"automountServiceAccountToken":false}""")
        .Add(RbacResources.PriorityClasses, """{"metadata":{"name":"high"},"value":1000,"preemptionPolicy":"Never"}""");

    private static AdmissionAttributes Request(string json, string user = "alice", AdmissionOperation operation = AdmissionOperation.Create, ApiResource? resource = null,
        string ns = "ns", string name = "p", string subresource = "", string? old = null) => new()
        {
            Operation = operation,
            Resource = resource ?? RbacResources.Pods,
            Namespace = ns,
            Name = name,
            Subresource = subresource,
            User = new UserInfo(user, "", user.StartsWith("system:node:", StringComparison.Ordinal) ? [UserNames.Nodes] : []),
            Object = operation == AdmissionOperation.Delete ? null : JsonNode.Parse(json)!.AsObject(),
            OldObject = old is null ? null : JsonNode.Parse(old)!.AsObject(),
        };

    private static async Task<string?> Admit(IAdmissionPlugin plugin, AdmissionAttributes attributes)
    {
        if (!plugin.Handles(attributes.Operation, attributes.Resource, attributes.Subresource)) return null;
        try
        {
            await plugin.AdmitAsync(attributes, default);
            await plugin.ValidateAsync(attributes, default);
            return null;
        }
        catch (ApiException refused)
        {
            return refused.Message;
        }
    }

    [Theory]
    [InlineData("ns", null)]
    [InlineData("absent", "namespaces \"absent\" not found")]
    [InlineData("going", "pods \"p\" is forbidden: unable to create new content in namespace going because it is being terminated")]
    public async Task Namespace_lifecycle(string ns, string? refusal) => Assert.Equal(refusal, await Admit(new NamespaceLifecycle(_objects), Request("{}", ns: ns)));

    [Theory]
    [InlineData("default", "namespaces \"default\" is forbidden: this namespace may not be deleted")]
    [InlineData("kube-system", "namespaces \"kube-system\" is forbidden: this namespace may not be deleted")]
    [InlineData("mine", null)]
    public async Task Namespaces_of_the_system_stay(string name, string? refusal) =>
        Assert.Equal(refusal, await Admit(new NamespaceLifecycle(_objects), Request("{}", operation: AdmissionOperation.Delete, resource: RbacResources.Namespaces, name: name)));

    [Fact]
    public async Task Pods_get_the_default_account_and_its_token()
    {
        var request = Request("""{"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"i"}],"containers":[{"name":"a"},{"name":"b","volumeMounts":[{"name":"x","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}]}}""");
        Assert.Null(await Admit(new ServiceAccountAdmission(_objects), request));
        var spec = request.Object!["spec"]!;
        Assert.Equal("default", spec.Text("serviceAccountName"));
        Assert.Equal("pull", spec.Objects("imagePullSecrets").Single().Text("name"));
        var volume = Assert.Single(spec.Objects("volumes"));
        Assert.Matches("^kube-api-access-[a-z0-9]{5}$", volume.Text("name"));
        var sources = volume.Objects("projected", "sources").ToArray();
        Assert.Equal(3607, sources[0].Number("serviceAccountToken", "expirationSeconds"));
        Assert.Equal("kube-root-ca.crt", sources[1].Text("configMap", "name"));
        Assert.Equal("metadata.namespace", sources[2].Objects("downwardAPI", "items").Single().Text("fieldRef", "fieldPath"));
        var containers = spec.Objects("containers").ToArray();
        Assert.Equal(volume.Text("name"), containers[0].Objects("volumeMounts").Single().Text("name"));
        Assert.Equal("x", containers[1].Objects("volumeMounts").Single().Text("name"));
        Assert.Single(spec.Objects("initContainers").Single().Objects("volumeMounts"));
    }

    [Theory]
    [InlineData("""{"spec":{"serviceAccountName":"absent","containers":[]}}""", "pods \"p\" is forbidden: error looking up service account ns/absent: serviceaccount \"absent\" not found", false)]
    [InlineData("""{"spec":{"serviceAccountName":"quiet","containers":[{"name":"a"}]}}""", null, false)]
    [InlineData("""{"spec":{"serviceAccountName":"quiet","automountServiceAccountToken":true,"containers":[{"name":"a"}]}}""", null, true)]
    [InlineData("""{"spec":{"automountServiceAccountToken":false,"containers":[{"name":"a"}]}}""", null, false)]
    public async Task Service_accounts(string pod, string? refusal, bool mounted)
    {
        var request = Request(pod);
        Assert.Equal(refusal, await Admit(new ServiceAccountAdmission(_objects), request));
        Assert.Equal(mounted, request.Object.Objects("spec", "volumes").Any());
    }

    [Theory]
    [InlineData("""{"spec":{}}""", 2)]
    [InlineData("""{"spec":{"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}]}}""", 2)]
    [InlineData("""{"spec":{"tolerations":[{"operator":"Exists"}]}}""", 1)]
    [InlineData("""{"spec":{"tolerations":[{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoSchedule"}]}}""", 3)]
    public async Task Default_toleration_seconds(string pod, int count)
    {
        var request = Request(pod);
        Assert.Null(await Admit(new DefaultTolerationSeconds(), request));
        Assert.Equal(count, request.Object.Objects("spec", "tolerations").Count());
    }

    [Theory]
    [InlineData("""{"spec":{}}""", null, 0L, "PreemptLowerPriority")]
    [InlineData("""{"spec":{"priorityClassName":"high"}}""", null, 1000L, "Never")]
    [InlineData("""{"spec":{"priorityClassName":"system-node-critical"}}""", null, 2000001000L, "PreemptLowerPriority")]
    [InlineData("""{"spec":{"priorityClassName":"absent"}}""", "pods \"p\" is forbidden: no PriorityClass with name absent was found", null, "")]
    [InlineData("""{"spec":{"priority":7}}""", "pods \"p\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name", 7L, "")]
    public async Task Priority(string pod, string? refusal, long? value, string policy)
    {
        var request = Request(pod);
        Assert.Equal(refusal, await Admit(new PriorityAdmission(_objects), request));
        Assert.Equal(value, request.Object.Number("spec", "priority"));
        Assert.Equal(policy, request.Object.Text("spec", "preemptionPolicy"));
    }

    [Fact]
    public async Task A_default_priority_class_is_taken()
    {
        _objects.Add(RbacResources.PriorityClasses, """{"metadata":{"name":"usual"},"value":5,"globalDefault":true}""");
        var request = Request("""{"spec":{}}""");
        await Admit(new PriorityAdmission(_objects), request);
        Assert.Equal(("usual", 5L), (request.Object.Text("spec", "priorityClassName"), request.Object.Number("spec", "priority")));
        Assert.Contains("usual is already marked as default", await Admit(new PriorityAdmission(_objects), Request("""{"metadata":{"name":"b"},"globalDefault":true}""", resource: RbacResources.PriorityClasses, name: "b")));
    }

    private const string Mirror = """{"metadata":{"name":"p","annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"n1"}}""";

    [Theory]
    [InlineData(Mirror, "Create", "", null, null)]
    [InlineData("""{"metadata":{},"spec":{"nodeName":"n1"}}""", "Create", "", null, "pod does not have \"kubernetes.io/config.mirror\" annotation, node \"n1\" can only create mirror pods")]
    [InlineData("""{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"n2"}}""", "Create", "", null, "node \"n1\" can only create pods with spec.nodeName set to itself")]
    [InlineData("{}", "Delete", "", """{"spec":{"nodeName":"n1"}}""", null)]
    [InlineData("{}", "Delete", "", """{"spec":{"nodeName":"n2"}}""", "node \"n1\" can only delete pods with spec.nodeName set to itself")]
    [InlineData("""{"status":{}}""", "Update", "status", """{"spec":{"nodeName":"n1"}}""", null)]
    [InlineData("""{"status":{}}""", "Update", "status", """{"spec":{"nodeName":"n2"}}""", "node \"n1\" can only update pod status for pods with spec.nodeName set to itself")]
    [InlineData("""{"metadata":{"labels":{"a":"b"}}}""", "Update", "status", """{"spec":{"nodeName":"n1"}}""", "node \"n1\" cannot update labels through pod status")]
    [InlineData("""{"spec":{}}""", "Update", "", """{"spec":{"nodeName":"n1"}}""", "unexpected operation \"UPDATE\", node \"n1\" can only create and delete mirror pods")]
    public async Task Nodes_and_pods(string pod, string operation, string subresource, string? old, string? refusal)
    {
        var request = Request(pod, "system:node:n1", Enum.Parse<AdmissionOperation>(operation), subresource: subresource, old: old);
        Assert.Equal(refusal is null ? null : $"pods \"p\" is forbidden: {refusal}", await Admit(new NodeRestriction(_objects), request));
    }

    [Theory]
    [InlineData("n1", """{"metadata":{"name":"n1","labels":{"kubernetes.io/hostname":"n1","topology.kubernetes.io/zone":"z","mine/x":"y"}}}""", null, null)]
    [InlineData("n2", """{"metadata":{"name":"n2"}}""", null, "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"")]
    [InlineData("n1", """{"metadata":{"name":"n1","labels":{"node-role.kubernetes.io/control-plane":""}}}""", null, "nodes \"n1\" is forbidden: is not allowed to set the following labels: node-role.kubernetes.io/control-plane")]
    [InlineData("n1", """{"metadata":{"name":"n1","labels":{"node-restriction.kubernetes.io/x":"1"}}}""", """{"metadata":{"labels":{}}}""", "nodes \"n1\" is forbidden: is not allowed to modify the following labels: node-restriction.kubernetes.io/x")]
    [InlineData("n1", """{"metadata":{"name":"n1"},"spec":{"taints":[]}}""", """{"metadata":{"name":"n1"},"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}}""", "nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints")]
    public async Task Nodes_and_themselves(string name, string node, string? old, string? refusal)
    {
        var request = Request(node, "system:node:n1", old is null ? AdmissionOperation.Create : AdmissionOperation.Update, RbacResources.Nodes, "", name, old: old);
        Assert.Equal(refusal, await Admit(new NodeRestriction(_objects), request));
        Assert.Null(await Admit(new NodeRestriction(_objects), Request(node, "alice", request.Operation, RbacResources.Nodes, "", name, old: old)));
    }

    [Theory]
    [InlineData("""{"spec":{}}""", "node requested token not bound to a pod")]
    [InlineData("""{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"a"}}}""", "node requested token with a pod binding without a uid")]
    [InlineData("""{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"b","uid":"2"}}}""", "node requested token bound to a pod scheduled on a different node")]
    [InlineData("""{"spec":{"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"a","uid":"1"}}}""", null)]
    public async Task Nodes_and_tokens(string body, string? refusal)
    {
        _objects.Add(RbacResources.Pods, """{"metadata":{"name":"a","namespace":"ns","uid":"1"},"spec":{"nodeName":"n1"}}""");
        _objects.Add(RbacResources.Pods, """{"metadata":{"name":"b","namespace":"ns","uid":"2"},"spec":{"nodeName":"n2"}}""");
        var answer = await Admit(new NodeRestriction(_objects), Request(body, "system:node:n1", resource: RbacResources.ServiceAccounts, name: "default", subresource: "token"));
        if (refusal is null) Assert.Null(answer);
        else Assert.Contains(refusal, answer);
    }

    [Fact]
    public async Task New_nodes_are_tainted_and_claims_get_the_default_class()
    {
        var node = Request("""{"metadata":{"name":"n"}}""", resource: RbacResources.Nodes);
        await Admit(new TaintNodesByCondition(), node);
        await Admit(new TaintNodesByCondition(), node);
        Assert.Equal("node.kubernetes.io/not-ready", Assert.Single(node.Object.Objects("spec", "taints")).Text("key"));

        _objects.Add(RbacResources.StorageClasses, """{"metadata":{"name":"fast","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}""");
        var claim = Request("""{"spec":{}}""", resource: RbacResources.PersistentVolumeClaims);
        await Admit(new DefaultStorageClass(_objects), claim);
        Assert.Equal("fast", claim.Object.Text("spec", "storageClassName"));
        var chosen = Request("""{"spec":{"storageClassName":""}}""", resource: RbacResources.PersistentVolumeClaims);
        await Admit(new DefaultStorageClass(_objects), chosen);
        Assert.Equal("", chosen.Object.Text("spec", "storageClassName"));
    }
}
