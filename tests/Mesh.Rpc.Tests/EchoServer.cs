using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Mesh.Rpc.Tests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Rpc.Tests;

/// <summary>The echo service on one transport, with a client of the same transport.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly TestPki _pki = new();
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"mesh-rpc-{Guid.NewGuid():N}.sock");
    private readonly WebApplication _app;

    private EchoServer(MeshScheme scheme, bool requireClientCertificate, bool lean, Action<GrpcServiceOptions>? configure, InProcNetwork? network)
    {
        Network = network ?? new InProcNetwork();
        var server = _pki.Issue("echo");
        var limits = new GrpcServiceOptions();
        configure?.Invoke(limits);
        var grpc = lean ? new LeanGrpc { MaxMessageBytes = limits.MaxReceiveMessageSize ?? MeshRpcServer.DefaultMaxMessageBytes } : null;
        grpc?.Add(static binder => EchoService.BindService(binder, new EchoImpl()));
        Address = MeshAddress.Parse(scheme switch
        {
            MeshScheme.Http => "http://127.0.0.1:0",
            MeshScheme.Https => "https://127.0.0.1:0",
            MeshScheme.Unix => "unix://" + _socket,
            _ => "inproc://echo",
        });
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseMeshLimits();
            kestrel.ListenMesh(Address, new MeshListenOptions
            {
                Certificate = () => server,
                ClientRoots = () => _pki.Roots,
                RequireClientCertificate = requireClientCertificate,
                Grpc = grpc,
                Protocols = scheme == MeshScheme.Http ? HttpProtocols.Http2 : null,
            });
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddInProcTransport(Network);
        builder.Services.AddMeshRpc(configure);
        if (lean) builder.Services.AddLeanSockets();
        _app = builder.Build();
        _app.MapGrpcService<EchoImpl>();
    }

    public InProcNetwork Network { get; }

    public MeshAddress Address { get; private set; }

    public TestPki Pki => _pki;

    public static async Task<EchoServer> StartAsync(
        MeshScheme scheme, bool requireClientCertificate = false, bool lean = false, Action<GrpcServiceOptions>? configure = null, InProcNetwork? network = null)
    {
        var server = new EchoServer(scheme, requireClientCertificate, lean, configure, network);
        await server._app.StartAsync();
        if (scheme is MeshScheme.Http or MeshScheme.Https)
            server.Address = MeshAddress.Parse(server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    public GrpcChannel Connect(MeshChannelOptions? options = null) =>
        MeshChannel.Create(Address, Reaching(options));

    public LeanChannel ConnectLean(MeshChannelOptions? options = null) => LeanChannel.Create(Address, Reaching(options));

    private MeshChannelOptions Reaching(MeshChannelOptions? options) => (options ?? new MeshChannelOptions()) with { Network = Network, TrustedRoots = options?.TrustedRoots ?? (() => _pki.Roots) };

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _pki.Dispose();
        File.Delete(_socket);
    }
}
