using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Tests.Kinds;

/// <summary>What the name of an image says of its tag, and so how often it is pulled.</summary>
public class ImageReferenceTests
{
    private const string Digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";

    [Theory]
    [InlineData("nginx", "latest")]
    [InlineData("nginx:1", "1")]
    [InlineData("nginx:latest" + Digest, "latest")]
    [InlineData("nginx" + Digest, "")]
    [InlineData("host:5000/x", "latest")]
    [InlineData("host:5000/x/y:2", "2")]
    [InlineData("localhost/x", "latest")]
    [InlineData("[::1]:5000/x", "latest")]
    [InlineData("Host/x", "latest")]
    [InlineData("a/b__c/d-e.f", "latest")]
    [InlineData("UPPER", "")]
    [InlineData("x y", "")]
    [InlineData(" x", "")]
    [InlineData("x:", "")]
    [InlineData("a//b", "")]
    [InlineData("", "")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "")]
    public void Tags(string image, string tag) => Assert.Equal(tag, ImageReference.Tag(image));

    [Theory]
    [InlineData("UPPER", "IfNotPresent")]
    [InlineData("nginx:latest" + Digest, "Always")]
    [InlineData("a//b", "IfNotPresent")]
    public void An_image_that_cannot_be_read_is_pulled_when_it_is_not_there(string image, string policy)
    {
        var pod = KindHarness.Json("""{"spec":{"containers":[{"name":"a","image":"IMAGE"}]}}""".Replace("IMAGE", image, StringComparison.Ordinal));
        PodDefaults.Pod(pod);
        Assert.Equal(policy, pod.Obj("spec").Items("containers").Single().Item.Str("imagePullPolicy"));
    }
}
