using Grpc.Core;
using Mesh.Api;
using Mesh.Rpc.Tests.Echo;

namespace Mesh.Rpc.Tests;

/// <summary>The service of echo.proto.</summary>
internal sealed class EchoImpl : EchoService.EchoServiceBase
{
    public override async Task<EchoReply> Unary(EchoRequest request, ServerCallContext context)
    {
        foreach (var header in context.RequestHeaders)
        {
            if (!header.Key.StartsWith("x-", StringComparison.Ordinal)) continue;
            context.ResponseTrailers.Add(header);
        }
        if (request.DelayMs > 0) await Task.Delay(request.DelayMs, context.CancellationToken);
        if (request.FailCode == 404) throw new ApiException(Statuses.NotFound("apps", "deployments", request.Text));
        if (request.FailCode != 0) throw new RpcException(new Status((StatusCode)request.FailCode, request.Text));
        return Reply(request);
    }

    public override Task<EchoReply> WhoAmI(EchoRequest request, ServerCallContext context) => Task.FromResult(new EchoReply
    {
        Text = context.AuthContext.FindPropertiesByName("x509_common_name").Select(n => "CN=" + n.Value).FirstOrDefault() ?? context.RequestHeaders.GetValue("authorization") ?? "nobody",
    });

    public override async Task Expand(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < request.Count; i++)
        {
            await responseStream.WriteAsync(new EchoReply { Text = request.Text, Number = i, Payload = request.Payload }, context.CancellationToken);
            if (request.DelayMs > 0) await Task.Delay(request.DelayMs, context.CancellationToken);
        }
    }

    public override async Task<EchoReply> Collect(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        var texts = new List<string>();
        long sum = 0;
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            texts.Add(request.Text);
            sum += request.Number;
        }
        return new EchoReply { Text = string.Join(',', texts), Number = sum };
    }

    public override async Task Chat(IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
            await responseStream.WriteAsync(Reply(request), context.CancellationToken);
    }

    private static EchoReply Reply(EchoRequest request) => new() { Text = request.Text, Number = request.Number, Payload = request.Payload };
}
