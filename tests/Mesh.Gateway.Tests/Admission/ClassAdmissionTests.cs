using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Authorization;
using Mesh.Security;

namespace Mesh.Gateway.Tests.Admission;

/// <summary>What runtime, ingress and storage classes do to the objects that name them.</summary>
public sealed class ClassAdmissionTests
{
    private readonly MemoryObjects objects = new MemoryObjects()
        .Add(RbacResources.RuntimeClasses, """{"metadata":{"name":"plain"},"handler":"runc"}""")
        .Add(RbacResources.RuntimeClasses, """
            {"metadata":{"name":"vm"},"handler":"kata","overhead":{"podFixed":{"cpu":"250m","memory":"1Gi"}},
             "scheduling":{"nodeSelector":{"vm":"yes"},"tolerations":[{"key":"vm","operator":"Exists"},{"key":"b","operator":"Equal","value":"1","effect":"NoSchedule"}]}}
            """)
        .Add(RbacResources.StorageClasses, """{"metadata":{"name":"grows"},"allowVolumeExpansion":true}""")
        .Add(RbacResources.StorageClasses, """{"metadata":{"name":"stays"}}""");

    [Theory]
    [InlineData("""{"runtimeClassName":"x"}""", "pods \"p\" is forbidden: pod rejected: RuntimeClass \"x\" not found")]
    [InlineData("""{"runtimeClassName":"plain"}""", null)]
    [InlineData("""{"runtimeClassName":"vm","overhead":{"cpu":"0.25","memory":"1024Mi"}}""", null)]
    [InlineData("""{"runtimeClassName":"vm","overhead":{"cpu":"1","memory":"1Gi"}}""", "pods \"p\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")]
    [InlineData("""{"runtimeClassName":"plain","overhead":{"cpu":"1"}}""", "pods \"p\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")]
    [InlineData("""{"overhead":{"cpu":"1"}}""", "pods \"p\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")]
    [InlineData("""{"runtimeClassName":"vm","nodeSelector":{"vm":"no"}}""", "pods \"p\" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no")]
    public async Task Runtime_classes_refuse(string spec, string? refusal) =>
        Assert.Equal(refusal, await AdmitAsync(new RuntimeClassAdmission(objects), Pod(spec)));

    [Fact]
    public async Task Runtime_classes_give_overhead_and_place()
    {
        var pod = Pod("""{"runtimeClassName":"vm","nodeSelector":{"a":"b"},"tolerations":[{"key":"vm","operator":"Exists","effect":"NoSchedule"},{"key":"c","operator":"Exists"}]}""");
        Assert.Null(await AdmitAsync(new RuntimeClassAdmission(objects), pod));
        Assert.Equal(
            """
            {"runtimeClassName":"vm","nodeSelector":{"a":"b","vm":"yes"},"tolerations":[{"key":"c","operator":"Exists"},{"key":"vm","operator":"Exists"},{"key":"b","operator":"Equal","value":"1","effect":"NoSchedule"}],"overhead":{"cpu":"250m","memory":"1Gi"}}
            """.Trim(),
            Sorted(pod.Object!["spec"]!.AsObject(), "runtimeClassName", "nodeSelector", "tolerations", "overhead"));
        Assert.False(new RuntimeClassAdmission(objects).Handles(AdmissionOperation.Update, RbacResources.Pods, ""));
    }

    [Fact]
    public async Task Ingresses_get_the_newest_default_class()
    {
        var plugin = new DefaultIngressClass(objects);
        Assert.Null((await IngressAsync(plugin, "{}")).At("spec", "ingressClassName"));
        foreach (var (name, at, marked) in new[] { ("a", "2020-01-01T00:00:00Z", "true"), ("c", "2021-01-01T00:00:00Z", "true"), ("b", "2021-01-01T00:00:00Z", "true"), ("d", "2022-01-01T00:00:00Z", "false") })
        {
            objects.Add(RbacResources.IngressClasses, $$$"""{"metadata":{"name":"{{{name}}}","creationTimestamp":"{{{at}}}","annotations":{"ingressclass.kubernetes.io/is-default-class":"{{{marked}}}"} } }""");
        }

        Assert.Equal("b", (await IngressAsync(plugin, "{}")).Text("spec", "ingressClassName"));
        Assert.Equal("own", (await IngressAsync(plugin, """{"spec":{"ingressClassName":"own"}}""")).Text("spec", "ingressClassName"));
        Assert.Null((await IngressAsync(plugin, """{"metadata":{"annotations":{"kubernetes.io/ingress.class":"x"}}}""")).At("spec", "ingressClassName"));
    }

    [Theory]
    [InlineData("grows", "Bound", "2Gi", null)]
    [InlineData("grows", "Bound", "1024Mi", null)]
    [InlineData("grows", "Pending", "2Gi", "persistentvolumeclaims \"p\" is forbidden: Only bound persistent volume claims can be expanded")]
    [InlineData("stays", "Bound", "2Gi", "persistentvolumeclaims \"p\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize")]
    [InlineData("none", "Bound", "2Gi", "persistentvolumeclaims \"p\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize")]
    [InlineData("stays", "Bound", "1Gi", null)]
    public async Task Claims_grow_where_the_class_lets_them(string storageClass, string phase, string size, string? refusal)
    {
        string Claim(string amount) => $$$"""{"metadata":{"name":"p"},"spec":{"storageClassName":"{{{storageClass}}}","resources":{"requests":{"storage":"{{{amount}}}"} } },"status":{"phase":"{{{phase}}}"}}""";
        var request = Request(RbacResources.PersistentVolumeClaims, Claim(size), AdmissionOperation.Update, Claim("1Gi"));
        Assert.Equal(refusal, await AdmitAsync(new ClaimResize(objects), request));
    }

    [Theory]
    [InlineData("""{"serviceAccountName":"strict","containers":[{"name":"c","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"mine","key":"k"}}}]}]}""", null)]
    [InlineData("""{"serviceAccountName":"strict","containers":[{"name":"c","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"other","key":"k"}}}]}]}""",
        "container c with envVar E referencing secret.secretName=\"other\" is not allowed because service account strict does not reference that secret")]
    [InlineData("""{"serviceAccountName":"strict","initContainers":[{"name":"i","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"other","key":"k"}}}]}],"containers":[{"name":"c"}]}""",
        "init container i with envVar E referencing secret.secretName=\"other\" is not allowed because service account strict does not reference that secret")]
    [InlineData("""{"serviceAccountName":"strict","imagePullSecrets":[{"name":"other"}],"containers":[{"name":"c"}]}""",
        "imagePullSecrets[0].name=\"other\" is not allowed because service account strict does not reference that imagePullSecret")]
    public async Task Strict_accounts_limit_secrets(string spec, string? refusal)
    {
        objects.Add(RbacResources.ServiceAccounts, """{"metadata":{"name":"strict","namespace":"ns","annotations":{"kubernetes.io/enforce-mountable-secrets":"T"}},"secrets":[{"name":"mine"}]}""");
        Assert.Equal(refusal is null ? null : "pods \"p\" is forbidden: " + refusal, await AdmitAsync(new ServiceAccountAdmission(objects), Pod(spec)));
    }

    private static async Task<JsonObject> IngressAsync(IAdmissionPlugin plugin, string json)
    {
        var request = Request(ResourceTable.Find("networking.k8s.io", "v1", "ingresses")!, json, AdmissionOperation.Create, null);
        Assert.Null(await AdmitAsync(plugin, request));
        return request.Object!;
    }

    private static AdmissionAttributes Pod(string spec) => Request(RbacResources.Pods, $$$"""{"metadata":{"name":"p"},"spec":{{{spec}}}}""", AdmissionOperation.Create, null);

    private static AdmissionAttributes Request(ApiResource resource, string json, AdmissionOperation operation, string? old) => new()
    {
        Operation = operation,
        Resource = resource,
        Namespace = "ns",
        Name = "p",
        User = new UserInfo("alice", "", []),
        Object = JsonNode.Parse(json)!.AsObject(),
        OldObject = old is null ? null : JsonNode.Parse(old)!.AsObject(),
    };

    private static string Sorted(JsonObject obj, params string[] fields) =>
        new JsonObject(fields.Select(f => KeyValuePair.Create(f, obj[f]?.DeepClone()))).ToJsonString();

    private static async Task<string?> AdmitAsync(IAdmissionPlugin plugin, AdmissionAttributes attributes)
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
}
