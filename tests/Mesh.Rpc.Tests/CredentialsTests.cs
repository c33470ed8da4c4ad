using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Mesh.Rpc.Tests.Echo;
using Xunit;

namespace Mesh.Rpc.Tests;

public sealed class CredentialsTests() : CredentialsContract(lean: false);

public sealed class LeanCredentialsTests() : CredentialsContract(lean: true);

public abstract class CredentialsContract(bool lean)
{
    [Theory]
    [InlineData(MeshScheme.Https)]
    [InlineData(MeshScheme.InProc)]
    public async Task The_client_certificate_reaches_the_handler(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var certificate = server.Pki.Issue("system:kube-scheduler");
        using var channel = server.Connect(MeshChannelOptions.WithCertificates(certificate, server.Pki.Roots));
        var reply = await Client(channel).WhoAmIAsync(new EchoRequest());
        Assert.Equal("CN=system:kube-scheduler", reply.Text);
    }

    [Theory, MemberData(nameof(TransportTests.Transports), MemberType = typeof(TransportContract))]
    public async Task The_bearer_token_travels_with_each_call(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        var calls = 0;
        using var channel = server.Connect(new MeshChannelOptions { BearerToken = _ => new ValueTask<string?>("token-" + ++calls) });
        Assert.Equal("Bearer token-1", (await Client(channel).WhoAmIAsync(new EchoRequest())).Text);
        Assert.Equal("Bearer token-2", (await Client(channel).WhoAmIAsync(new EchoRequest())).Text);
    }

    [Fact]
    public async Task A_server_of_another_authority_is_not_trusted()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, lean: lean);
        using var other = new TestPki("other-ca");
        using var channel = server.Connect(MeshChannelOptions.WithCertificates(null, other.Roots));
        var e = await Assert.ThrowsAsync<RpcException>(async () => await Client(channel).UnaryAsync(new EchoRequest()));
        Assert.Contains(e.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Internal });
    }

    [Fact]
    public async Task A_client_of_another_authority_is_refused_where_certificates_are_required()
    {
        await using var server = await EchoServer.StartAsync(MeshScheme.Https, requireClientCertificate: true, lean: lean);
        using var other = new TestPki("other-ca");
        using var stranger = other.Issue("admin");
        using var mine = server.Pki.Issue("admin");
        foreach (var (certificate, welcome) in new (X509Certificate2?, bool)[] { (stranger, false), (null, false), (mine, true) })
        {
            using var channel = server.Connect(MeshChannelOptions.WithCertificates(certificate, server.Pki.Roots));
            var call = Client(channel).UnaryAsync(new EchoRequest { Text = "in" }).ResponseAsync;
            if (welcome) Assert.Equal("in", (await call).Text);
            else await Assert.ThrowsAsync<RpcException>(() => call);
        }
    }

    [Theory]
    [InlineData(MeshScheme.Https)]
    [InlineData(MeshScheme.InProc)]
    public async Task A_rotated_client_certificate_is_used_by_the_next_connection(MeshScheme scheme)
    {
        await using var server = await EchoServer.StartAsync(scheme, lean: lean);
        using var first = server.Pki.Issue("first");
        using var second = server.Pki.Issue("second");
        var current = first;
        var options = new MeshChannelOptions { ClientCertificate = () => current };
        using (var channel = server.Connect(options)) Assert.Equal("CN=first", (await Client(channel).WhoAmIAsync(new EchoRequest())).Text);
        current = second;
        using (var channel = server.Connect(options)) Assert.Equal("CN=second", (await Client(channel).WhoAmIAsync(new EchoRequest())).Text);
    }

    private static EchoService.EchoServiceClient Client(Grpc.Net.Client.GrpcChannel channel) => new(channel);
}
