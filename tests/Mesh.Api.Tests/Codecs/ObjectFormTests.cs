using System.Text.Json.Nodes;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Xunit;

namespace Mesh.Api.Tests.Codecs;

public class ObjectFormTests
{
    [Theory]
    [InlineData("v1", "Service",
        """{"kind":"Service","spec":{"ports":[{"port":80,"nodePort":0}],"selector":{},"publishNotReadyAddresses":false}}""",
        """{"kind":"Service","spec":{"ports":[{"port":80,"protocol":"TCP"}]},"metadata":{},"status":{"loadBalancer":{}}}""")]
    [InlineData("v1", "Pod",
        """{"spec":{"hostNetwork":false,"automountServiceAccountToken":false,"terminationGracePeriodSeconds":0,"containers":[{"name":"c","args":[],"env":[{"name":"A","value":""}]}],"volumes":[{"name":"v","emptyDir":{}}]}}""",
        """{"spec":{"automountServiceAccountToken":false,"terminationGracePeriodSeconds":0,"containers":[{"name":"c","env":[{"name":"A"}],"resources":{}}],"volumes":[{"name":"v","emptyDir":{}}]},"metadata":{},"status":{}}""")]
    [InlineData("apps/v1", "Deployment",
        """{"spec":{"replicas":0,"paused":false,"selector":{"matchLabels":{"a":"b"}}}}""",
        """{"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{},"spec":{}},"strategy":{}},"metadata":{},"status":{}}""")]
    [InlineData("v1", "Pod",
        """{"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}],"containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":1}}}]}}""",
        """{"spec":{},"metadata":{},"status":{"conditions":[{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"}],"containerStatuses":[{"name":"c","ready":false,"restartCount":0,"image":"","imageID":"","lastState":{},"state":{"terminated":{"exitCode":1,"startedAt":null,"finishedAt":null}}}]}}""")]
    [InlineData("v1", "Event", """{"reason":"x"}""",
        """{"reason":"x","metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":""}""")]
    [InlineData("discovery.k8s.io/v1", "EndpointSlice", """{"addressType":"IPv4","endpoints":[]}""", """{"addressType":"IPv4","metadata":{},"endpoints":null,"ports":null}""")]
    [InlineData("rbac.authorization.k8s.io/v1", "Role", "{}", """{"metadata":{},"rules":null}""")]
    [InlineData("v1", "PodList", """{"items":[],"metadata":{"continue":""}}""", """{"items":[],"metadata":{}}""")]
    public void An_object_gets_the_form_of_Kubernetes_own_types(string apiVersion, string kind, string given, string expected)
    {
        var type = ApiSchema.Builtin.FindKind(apiVersion, kind)!.Type;
        var target = JsonNode.Parse(given)!.AsObject();

        ObjectForm.Complete(target, type);
        var once = target.ToJsonString();
        ObjectForm.Complete(target, type);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), target), once);
        Assert.Equal(once, target.ToJsonString());
    }

    [Fact]
    public void A_filled_object_is_left_alone()
    {
        var kind = ApiSchema.Builtin.FindKind("v1", "Pod")!;
        var filled = new ObjectFiller().Fill(kind);
        var before = filled.DeepClone();

        ObjectForm.Complete(filled, kind.Type);

        Assert.True(JsonNode.DeepEquals(before["spec"], filled["spec"]));
    }
}
