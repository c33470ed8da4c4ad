using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc;
using Xunit;

namespace Mesh.Client.Tests;

public sealed class RpcFailuresTests
{
    [Fact]
    public async Task The_status_a_call_carries_arrives_whole()
    {
        var sent = Statuses.NotFound("apps", "deployments", "web");
        var failed = Task.FromException<int>(RpcStatus.Create(404, sent.Reason, sent.Message!, KubeJson.Serialize(sent)));
        var e = await Assert.ThrowsAsync<ApiException>(() => RpcFailures.Map(failed, default));
        Assert.True(e.IsNotFound);
        Assert.Equal("deployments.apps \"web\" not found", e.Message);
        Assert.Equal("web", e.Status.Details!.Name);
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, 503)]
    [InlineData(StatusCode.DeadlineExceeded, 504)]
    [InlineData(StatusCode.Internal, 500)]
    public async Task A_transport_failure_becomes_the_nearest_status(StatusCode code, int http)
    {
        var failed = Task.FromException<int>(new RpcException(new Status(code, "lost")));
        var e = await Assert.ThrowsAsync<ApiException>(() => RpcFailures.Map(failed, default));
        Assert.Equal((http, "lost"), (e.Code, e.Message));
    }

    [Fact]
    public async Task What_the_caller_cancelled_is_cancelled()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var failed = Task.FromException<int>(new RpcException(new Status(StatusCode.Cancelled, "stop")));
        await Assert.ThrowsAsync<OperationCanceledException>(() => RpcFailures.Map(failed, stop.Token));
    }
}
