using System.Text;
using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Xunit;

namespace Mesh.Api.Tests.Schema;

public class TypedClassesTests
{
    private const string Text = """
        {"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"b":"2","a":"1"}},"spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"100m"}},"readinessProbe":{"httpGet":{"port":"http"},"periodSeconds":3}}],"terminationGracePeriodSeconds":0},"status":{"podIP":"10.0.0.1"}}
        """;

    [Fact]
    public void A_pod_reads_and_writes_itself()
    {
        var pod = KubeJson.Deserialize<Pod>(Encoding.UTF8.GetBytes(Text));

        Assert.Equal("a", pod.Metadata.Name);
        Assert.Equal(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), pod.Metadata.CreationTimestamp);
        Assert.NotNull(pod.Spec!.Volumes![0].EmptyDir);
        Assert.Equal("http", pod.Spec.Containers![0].ReadinessProbe!.HttpGet!.Port!.Value.StringValue);
        Assert.Equal(0, pod.Spec.TerminationGracePeriodSeconds);
        Assert.Equal("10.0.0.1", pod.Status!.PodIP);

        var expected = Text.Trim().Replace("\"b\":\"2\",\"a\":\"1\"", "\"a\":\"1\",\"b\":\"2\"", StringComparison.Ordinal);
        Assert.Equal(expected, Encoding.UTF8.GetString(KubeJson.Serialize(pod)));
    }

    [Fact]
    public void Unknown_fields_and_nulls_are_skipped()
    {
        var pod = KubeJson.Deserialize<Pod>("""{"foo":{"bar":[1,{}]},"spec":{"nodeName":null,"x":1},"metadata":null}"""u8);

        Assert.Null(pod.Spec!.NodeName);
        Assert.NotNull(pod.Metadata);
    }

    [Fact]
    public void A_clone_is_equal_and_independent()
    {
        var pod = KubeJson.Deserialize<Pod>(Encoding.UTF8.GetBytes(Text));
        var copy = pod.Clone();
        Assert.True(Pod.SemanticEquals(pod, copy));

        copy.Spec!.Containers![0].Ports![0].ContainerPortValue = 81;
        Assert.False(Pod.SemanticEquals(pod, copy));
        Assert.Equal(80, pod.Spec!.Containers![0].Ports![0].ContainerPortValue);
    }

    [Fact]
    public void Absent_equals_empty_where_Kubernetes_says_so()
    {
        Assert.True(PodSpec.SemanticEquals(new PodSpec(), new PodSpec { NodeName = "", Volumes = [], NodeSelector = [] }));
        Assert.True(Container.SemanticEquals(new Container(), new Container { Resources = new ResourceRequirements() }));
        Assert.False(PodSpec.SemanticEquals(new PodSpec(), new PodSpec { SecurityContext = new PodSecurityContext() }));
    }

    [Fact]
    public void Kinds_know_their_resource()
    {
        Assert.Equal("apps/v1", ResourceOf<Deployment>().GroupVersion);
        Assert.Equal("deployments", ResourceOf<Deployment>().Plural);
        Assert.Equal(["deploy"], ResourceOf<Deployment>().ShortNames);
        Assert.True(ResourceOf<Pod>().Namespaced);
        Assert.False(ResourceOf<Node>().Namespaced);
        Assert.Equal("Eviction", Assert.Single(ResourceOf<Pod>().Subresources, s => s.Name == "eviction").Kind);
        Assert.Same(ResourceOf<Pod>(), ResourceTable.Find("", "v1", "pods"));
        Assert.Equal("v1", new Status().ApiVersion);
    }

    private static ApiResource ResourceOf<T>()
        where T : class, IKubeObject<T> => T.Resource;
}
