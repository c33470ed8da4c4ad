using Grpc.Net.Client;
using Mesh.Rpc.Tests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Rpc.Tests;

/// <summary>The official gRPC assemblies start and talk on the API assemblies of ours.</summary>
public sealed class GrpcStackTests
{
    [Fact]
    public async Task Official_client_and_server_run_on_our_core_api()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        await using var app = builder.Build();
        app.MapGrpcService<EchoImpl>();
        await app.StartAsync();

        using var channel = GrpcChannel.ForAddress(app.Urls.Single());
        var reply = await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "hello", Number = 41 });

        Assert.Equal("hello", reply.Text);
        Assert.Equal(41, reply.Number);
    }
}
