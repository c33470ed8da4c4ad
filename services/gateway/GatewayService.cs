using System.Diagnostics.Metrics;
using Grpc.Core;
using Mesh.Api;
using Mesh.Caching;
using Mesh.Events;
using Mesh.Gateway.Admission;
using Mesh.Gateway.Authentication;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Discovery;
using Mesh.Gateway.Feed;
using Mesh.Gateway.Http;
using Mesh.Gateway.OpenApi;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Kinds;
using Mesh.Gateway.Registry.Kinds.Network;
using Mesh.Gateway.Registry.Subresources;
using Mesh.Gateway.Rpc;
using Mesh.Gateway.Storage;
using Mesh.Gateway.Streaming;
using Mesh.Gateway.Tables;
using Mesh.Hosting;
using Mesh.Rpc;
using Mesh.Security.Pki;
using Mesh.Security.Tokens;
using Mesh.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mesh.Gateway;

/// <summary>The gateway as a service: Kubernetes REST and mesh.v1 gRPC on every listener, over the store's etcd v3 API.</summary>
public sealed class GatewayService : IMeshService
{
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public string Name => "gateway";

    /// <inheritdoc/>
    public void Configure(MeshServiceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Bind<GatewayOptions>();
        var pki = new GatewayPki(options);
        builder.Services.AddSingleton(pki);
        AddStorage(builder, options, pki);
        AddSharedCache(builder.Services, options, pki);
        AddSecurity(builder.Services, options, pki);
        AddRegistry(builder.Services, options);
        AddHttp(builder.Services, pki);
        builder.MapDefaultEndpoints = false;
        builder.MapGrpc<ObjectsService>();
        builder.AddWorker<GatewayBootstrap>();
        builder.AddWorker<BookmarkWorker>();
        builder.AddWorker<AllocationRepair>();
        AddChangeFeed(builder, options);
        builder.UseApp(app =>
        {
            var storage = app.Services.GetRequiredService<ObjectStorage>();
            builder.Health.Add("etcd", ct => StoreAnswersAsync(storage, ct));
            var pipeline = app.Services.GetRequiredService<ApiPipeline>();
            var caches = app.Services.GetRequiredService<CacheSet>();
            app.Lifetime.ApplicationStopping.Register(caches.CloseWatches);
            app.MapFallback("{**path}", (HttpContext http) => pipeline.HandleAsync(http));
        });
        foreach (var address in Split(options.Listen)) builder.Listen(address, pki.ListenOptions(MeshAddress.Parse(address)));
    }

    private static async ValueTask<string?> StoreAnswersAsync(ObjectStorage storage, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(StorePatience);
        await storage.RevisionAsync(limit.Token);
        return null;
    }

    private static void AddStorage(MeshServiceBuilder builder, GatewayOptions options, GatewayPki pki)
    {
        var services = builder.Services;
        var channel = pki.StoreChannel(builder.ChannelOptions());
        services.AddSingleton(_ => new EtcdClient([.. Split(options.Store).Select(a => LeanChannel.Create(a, channel))]));
        services.AddSingleton<ObjectStorage>();
        services.AddSingleton<IReservationStore, ReservationStore>();
        services.AddSingleton(static s => new CacheSet(
            s.GetRequiredService<ObjectStorage>(), s.GetRequiredService<StrategyTable>().Layout, s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<Microsoft.Extensions.Logging.ILogger<CacheSet>>()));
        services.AddSingleton<IObjectReader>(static s => s.GetRequiredService<CacheSet>());
    }

    /// <summary>The feed goes to Kafka if told so, else to the bus that the host shares with every service, if it does.</summary>
    private static void AddChangeFeed(MeshServiceBuilder builder, GatewayOptions options)
    {
        if (options.Kafka.Length > 0)
        {
            builder.Services.AddSingleton<IEventBus>(_ => new KafkaEventBus(new KafkaEventBusOptions { Brokers = options.Kafka, ClientId = "mesh-gateway" }));
            builder.Services.AddSingleton<FeedPosition>();
        }

        if (builder.Services.Any(static s => s.ServiceType == typeof(IEventBus))) builder.AddWorker<ChangeFeed>();
    }

    // What is in Redis is sealed with a secret that only holders of the token signing key have: Redis may be lost, read or written by others.
    private static void AddSharedCache(IServiceCollection services, GatewayOptions options, GatewayPki pki)
    {
        if (options.Redis.Length == 0)
        {
            services.AddSingleton<ISharedCache>(static s => new MemoryCache(s.GetRequiredService<TimeProvider>()));
            return;
        }

        services.AddSingleton(s => RedisOf(s, options.Redis));
        services.AddSingleton<ISharedCache>(s => new SealedCache(s.GetRequiredService<RedisCache>(), pki.SigningKey.DeriveSecret("gateway cache"), s.GetRequiredService<TimeProvider>()));
    }

    private static RedisCache RedisOf(IServiceProvider s, string configuration)
    {
        try
        {
            return new RedisCache(configuration, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<Microsoft.Extensions.Logging.ILogger<RedisCache>>());
        }
        catch (ArgumentException e)
        {
            throw new SettingsException("gateway: --redis: " + e.Message);
        }
    }

    private static void AddSecurity(IServiceCollection services, GatewayOptions options, GatewayPki pki)
    {
        services.AddSingleton<SharedDecisions>();
        services.AddSingleton<RbacAuthorizer>();
        services.AddSingleton<IAuthorizer>(static s => new AuthorizerChain(
            new NodeAuthorizer(s.GetRequiredService<IObjectReader>(), s.GetRequiredService<RbacAuthorizer>()), s.GetRequiredService<RbacAuthorizer>()));
        services.AddSingleton(s => new ServiceAccountTokenVerifier(options.ServiceAccountIssuer, [pki.SigningKey], s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(s => new SharedTokenVerifier(
            s.GetRequiredService<ServiceAccountTokenVerifier>(), pki.SigningKey, s.GetRequiredService<ISharedCache>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton(s => new ServiceAccountTokenIssuer(options.ServiceAccountIssuer, pki.SigningKey, s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IAuthenticator>(s => Authenticator(s, options, pki));
        services.AddSingleton(s => new TokenRequests(
            s.GetRequiredService<ServiceAccountTokenIssuer>(), [options.ServiceAccountIssuer], s.GetRequiredService<SharedTokenVerifier>(),
            s.GetRequiredService<IAuthenticator>(), s.GetRequiredService<IObjectReader>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AccessReviews>();
        services.AddSingleton(static s => new AdmissionChain(DefaultPlugins.Create(
            s.GetRequiredService<IObjectReader>(), s.GetRequiredService<RbacAuthorizer>(), s.GetRequiredService<IAuthorizer>(), QuotaWriter(s), s.GetRequiredService<TimeProvider>())));
    }

    // The registry runs admission, and admission charges quotas through the registry: it is asked for when the first is charged.
    private static QuotaWriter QuotaWriter(IServiceProvider s) => async (attributes, quota, change, ct) =>
        await s.GetRequiredService<GenericRegistry>().RewriteAsync(
            new RequestContext { User = attributes.User, Resource = RbacResources.ResourceQuotas, Namespace = attributes.Namespace, Name = quota, Subresource = "status" }, change, ct);

    private static AuthenticatorChain Authenticator(IServiceProvider s, GatewayOptions options, GatewayPki pki)
    {
        var time = s.GetRequiredService<TimeProvider>();
        var objects = s.GetRequiredService<IObjectReader>();
        var tokens = new List<ITokenAuthenticator>();
        if (s.GetService<StaticTokens>() is { } shared) tokens.Add(new StaticTokenAuthenticator(shared));
        if (options.TokenFile.Length > 0) tokens.Add(new StaticTokenAuthenticator(StaticTokens.Parse(File.ReadAllText(options.TokenFile))));
        tokens.Add(new ServiceAccountAuthenticator(s.GetRequiredService<SharedTokenVerifier>(), [options.ServiceAccountIssuer], objects, time));
        tokens.Add(new BootstrapTokenAuthenticator(objects, time));
        return new AuthenticatorChain(pki.ClientAuthorities is { } pem ? new ClientCertificateVerifier(pem, time) : null, tokens, options.AnonymousAuth);
    }

    private static void AddRegistry(IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(ServedResources.Parse(options.RuntimeConfig));
        services.AddSingleton(new StrategyRegistry(new ServiceNetwork(options.ServiceCidr), Random.Shared));
        services.AddSingleton(static s => new StrategyTable(s.GetRequiredService<StrategyRegistry>().For));
        services.TryAddSingleton<INameGenerator, RandomNames>();
        services.AddSingleton<GenericRegistry>();
        services.AddSingleton<NodeLedger>();
        services.AddSingleton<PodBinder>();
        services.AddSingleton<ISubresource, BindingSubresource>();
        services.AddSingleton<ISubresource, EvictionSubresource>();
        services.AddSingleton<ISubresource, TokenSubresource>();
        foreach (var scale in ScaleSubresource.All)
            services.AddSingleton<ISubresource>(s => new ScaleSubresource(scale, s.GetRequiredService<GenericRegistry>()));
        services.AddSingleton<SubresourceTable>();
        services.AddSingleton<IVirtualResource, ReviewResources>();
        services.AddSingleton<IVirtualResource, ComponentStatuses>();
        services.AddSingleton<IVirtualResource, BindingsResource>();
    }

    private static void AddHttp(IServiceCollection services, GatewayPki pki)
    {
        services.AddSingleton(static s => new ApiMetrics(s.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<TableConvertor>();
        services.AddSingleton<ResourceHandler>();
        services.AddSingleton<SystemPaths>();
        services.AddSingleton<ApiPipeline>();
        services.AddSingleton(new NodeAgentClients(pki));
        services.AddSingleton<IStreamHandler, NodeAgentStreams>();
        services.AddSingleton<RpcAccess>();
        services.AddSingleton<RpcWrites>();
        services.AddSingleton<ObjectsService>();
        services.AddSingleton(static s => new SharedDocuments(s.GetRequiredService<ServedResources>().All, s.GetRequiredService<ISharedCache>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IApiDocuments, OpenIdDocuments>();
        services.AddSingleton<IApiDocuments, DiscoveryHandler>();
        services.AddSingleton<IApiDocuments, OpenApiHandler>();
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
