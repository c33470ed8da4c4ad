using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class ApiStatusTests
{
    [Theory, MemberData(nameof(TransportTests.Transports), MemberType = typeof(TransportTests))]
    public async Task A_refusal_arrives_as_the_same_kubernetes_status(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme);
        using var channel = server.Connect();
        var rpc = await Assert.ThrowsAsync<RpcException>(async () =>
            await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { FailCode = 404, Text = "web" }));
        Assert.Equal(StatusCode.NotFound, rpc.StatusCode);
        Assert.Equal("deployments.apps \"web\" not found", rpc.Status.Detail);

        var api = rpc.ToApiException();
        Assert.Equal(404, api.Code);
        Assert.Equal("NotFound", api.Reason);
        Assert.Equal("deployments", api.Status.Details!.Kind);
        Assert.Equal("apps", api.Status.Details.Group);
        Assert.Equal("web", api.Status.Details.Name);
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, 503, "ServiceUnavailable")]
    [InlineData(StatusCode.DeadlineExceeded, 504, "Timeout")]
    [InlineData(StatusCode.Unauthenticated, 401, "Unauthorized")]
    [InlineData(StatusCode.Internal, 500, "InternalError")]
    public void A_failure_without_details_gets_the_nearest_status(StatusCode code, int http, string reason)
    {
        var api = new RpcException(new Status(code, "why")).ToApiException();
        Assert.Equal((http, reason, "why"), (api.Code, api.Reason, api.Message));
    }

    [Fact]
    public void Broken_details_do_not_hide_the_failure()
    {
        var trailers = new Metadata { { RpcStatus.DetailsTrailer, new byte[] { 255, 255, 255 } } };
        Assert.Equal(403, new RpcException(new Status(StatusCode.PermissionDenied, "no"), trailers).ToApiException().Code);
    }

    [Fact]
    public void Every_refusal_keeps_its_class_there_and_back()
    {
        foreach (var status in new[]
        {
            Statuses.AlreadyExists("", "pods", "a"), Statuses.Gone("old"), Statuses.InternalError("x"), Statuses.TooManyRequests("later", 1),
            Statuses.ServiceUnavailable("down"), Statuses.Timeout("slow", 0), Statuses.NotAcceptable("application/json"),
        })
        {
            var back = new ApiException(status).ToRpcException().ToApiException();
            Assert.Equal((status.Code, status.Reason, status.Message), (back.Status.Code, back.Status.Reason, back.Status.Message));
        }
    }
}
