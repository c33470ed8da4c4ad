using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Mesh.Events;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security;
using Mesh.Security.Tokens;
using Mesh.Store;

namespace Mesh.Gateway.Tests;

/// <summary>A store and a gateway in this process, shared by a collection of tests; each test uses names of its own.</summary>
public class GatewayHost : IAsyncLifetime
{
    private readonly string directory = Directory.CreateTempSubdirectory("mesh-gateway-").FullName;
    private readonly StaticTokens tokens = new();
    private MeshHost host = null!;

    public HttpClient Client { get; private set; } = null!;

    public GrpcChannel Channel { get; private set; } = null!;

    /// <summary>The store's etcd API.</summary>
    public GrpcChannel StoreChannel { get; private set; } = null!;

    /// <summary>The bus that the gateway publishes its change feed to.</summary>
    public EmbeddedEventBus Bus { get; } = new();

    public virtual async Task InitializeAsync()
    {
        var builder = MeshHost.CreateBuilder(["--log-level", "warning"]);
        builder.Set("store", "data-dir", Path.Combine(directory, "store")).Set("store", "listen", "inproc://store")
            .Set("gateway", "store", "inproc://store").Set("gateway", "listen", "http://127.0.0.1:0,inproc://gateway").Set("gateway", "advertise-address", "192.0.2.10");
        builder.Share(tokens).Share<IEventBus>(Bus);
        builder.Add(new StoreService()).Add(new GatewayService());
        AddMore(builder, tokens);
        host = builder.Build();
        await host.StartAsync();
        Client = ClientOf("admin", "system:masters");
        StoreChannel = MeshChannel.Create("inproc://store", new MeshChannelOptions { Network = host.Network });
        Channel = MeshChannel.Create("inproc://gateway", new MeshChannelOptions { Network = host.Network, BearerToken = _ => new(tokens.Create(new UserInfo("admin", "", ["system:masters"]))) });
    }

    /// <summary>More services beside the two.</summary>
    private protected virtual void AddMore(MeshHostBuilder builder, StaticTokens known)
    {
    }

    /// <summary>Where the gateway listens with this scheme.</summary>
    public Uri AddressOf(MeshScheme scheme) => host.Addresses("gateway").Single(a => a.Scheme == scheme).ToHttpUri();

    /// <summary>A client that speaks as a user.</summary>
    public HttpClient ClientOf(string user, params string[] groups)
    {
        var client = new HttpClient { BaseAddress = AddressOf(MeshScheme.Http) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Create(new UserInfo(user, "", groups)));
        return client;
    }

    /// <summary>Sends a request and reads the JSON answer.</summary>
    public async Task<(int Code, JsonObject Body)> SendAsync(HttpMethod method, string path, string? body = null, string type = "application/json", string? accept = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(type).MediaType!);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, JsonNode.Parse(text)!.AsObject());
    }

    public Task<(int Code, JsonObject Body)> GetAsync(string path, string? accept = null) => SendAsync(HttpMethod.Get, path, accept: accept);

    public Task<(int Code, JsonObject Body)> PostAsync(string path, string body) => SendAsync(HttpMethod.Post, path, body);

    public virtual async Task DisposeAsync()
    {
        Channel.Dispose();
        StoreChannel.Dispose();
        Client.Dispose();
        await host.DisposeAsync();
        await Bus.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}

[CollectionDefinition("gateway")]
public sealed class GatewayCollection : ICollectionFixture<GatewayHost>;
