using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Grpc.Core;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Registry;
using Mesh.Gateway.Registry.Kinds.Network;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Gateway;

/// <summary>
/// What must be in the store before the first request is served: the system namespaces, the default roles, the service kubernetes.
/// Runs before the listeners open and waits for the store; running it again changes nothing.
/// </summary>
internal sealed partial class GatewayBootstrap(
    ObjectStorage storage, CacheSet caches, StrategyTable strategies, IReservationStore reservations, GatewayOptions options, TimeProvider time, ILogger<GatewayBootstrap> logger)
    : IHostedService, IPolicyStore
{
    private static readonly UserInfo Self = new("system:apiserver", "", ["system:masters"]);
    private static readonly string[] Namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    // Without admission: its plugins want the objects that are made here.
    private readonly GenericRegistry registry = new(storage, caches, strategies, new AdmissionChain([]), reservations, new RandomNames(), time);

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            try
            {
                await storage.RevisionAsync(cancellationToken);
                break;
            }
            catch (RpcException e) when (time.GetElapsedTime(began) < Patience)
            {
                if (!waited) StoreAwaited(logger, options.Store, e.Status.Detail);
                await Task.Delay(Between, time, cancellationToken);
            }
        }

        foreach (var ns in Namespaces) await EnsureAsync("v1", "namespaces", null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = ns } }, cancellationToken);
        await BootstrapReconciler.ReconcileAsync(this, BootstrapPolicy.Load(), cancellationToken);
        await EnsurePrioritiesAsync(cancellationToken);
        await EnsureServiceAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<JsonObject?> GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct) => await caches.GetFreshAsync(resource, ns, name, ct);

    /// <inheritdoc/>
    public async Task CreateAsync(ApiResource resource, JsonObject obj, CancellationToken ct)
    {
        obj["kind"] = resource.Kind;
        obj["apiVersion"] = resource.GroupVersion;
        await registry.CreateAsync(Request(resource, ObjectMetaRules.Text(obj, "namespace"), ""), obj, ct);
    }

    /// <inheritdoc/>
    public async Task UpdateAsync(ApiResource resource, JsonObject obj, CancellationToken ct) =>
        await registry.UpdateAsync(Request(resource, ObjectMetaRules.Text(obj, "namespace"), ObjectMetaRules.Text(obj, "name")), obj, ct);

    /// <inheritdoc/>
    public async Task DeleteAsync(ApiResource resource, string? ns, string name, CancellationToken ct) =>
        await registry.DeleteAsync(Request(resource, ns, name), new DeleteRequest(), ct);

    private async Task EnsurePrioritiesAsync(CancellationToken ct)
    {
        foreach (var (name, value, text) in new[]
        {
            ("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
            ("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
        })
        {
            await EnsureAsync(
                "scheduling.k8s.io/v1", "priorityclasses", null,
                new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["value"] = value, ["description"] = text, ["preemptionPolicy"] = "PreemptLowerPriority" }, ct);
        }
    }

    private async Task EnsureServiceAsync(CancellationToken ct)
    {
        JsonObject Meta() => new()
        {
            ["name"] = "kubernetes",
            ["namespace"] = "default",
            ["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" },
        };
        var port = new JsonObject { ["name"] = "https", ["port"] = 443, ["protocol"] = "TCP", ["targetPort"] = options.AdvertisePort };
        await EnsureAsync(
            "v1", "services", "default",
            new JsonObject
            {
                ["metadata"] = Meta(),
                ["spec"] = new JsonObject
                {
                    ["type"] = "ClusterIP",
                    ["clusterIP"] = new ServiceNetwork(options.ServiceCidr).Address(1),
                    ["sessionAffinity"] = "None",
                    ["ports"] = new JsonArray(port),
                },
            },
            ct);
        var address = options.AdvertiseAddress.Length > 0 ? options.AdvertiseAddress : OutwardAddress();
        var endpointLabels = new JsonObject { ["endpointslice.kubernetes.io/skip-mirror"] = "true" };
        await PutAsync(
            "v1", "endpoints",
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["namespace"] = "default", ["labels"] = endpointLabels },
                ["subsets"] = new JsonArray(new JsonObject
                {
                    ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address }),
                    ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = options.AdvertisePort, ["protocol"] = "TCP" }),
                }),
            },
            ct);
        await PutAsync(
            "discovery.k8s.io/v1", "endpointslices",
            new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["namespace"] = "default", ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = "kubernetes" } },
                ["addressType"] = "IPv4",
                ["endpoints"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(address), ["conditions"] = new JsonObject { ["ready"] = true } }),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = options.AdvertisePort, ["protocol"] = "TCP" }),
            },
            ct);
    }

    /// <summary>Creates an object unless it is there.</summary>
    private async Task EnsureAsync(string groupVersion, string plural, string? ns, JsonObject obj, CancellationToken ct)
    {
        var resource = Resource(groupVersion, plural);
        if (await caches.GetFreshAsync(resource, ns, ObjectMetaRules.Text(obj, "name"), ct) is not null) return;
        try
        {
            await CreateAsync(resource, obj, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another gateway was faster.
        }
    }

    /// <summary>Creates an object or makes it what it should be.</summary>
    private async Task PutAsync(string groupVersion, string plural, JsonObject obj, CancellationToken ct)
    {
        var resource = Resource(groupVersion, plural);
        obj["kind"] = resource.Kind;
        obj["apiVersion"] = resource.GroupVersion;
        if (await caches.GetFreshAsync(resource, "default", ObjectMetaRules.Text(obj, "name"), ct) is null) await EnsureAsync(groupVersion, plural, "default", obj, ct);
        else await UpdateAsync(resource, obj, ct);
    }

    private static ApiResource Resource(string groupVersion, string plural)
    {
        var slash = groupVersion.IndexOf('/', StringComparison.Ordinal);
        return ResourceTable.Find(slash < 0 ? "" : groupVersion[..slash], groupVersion[(slash + 1)..], plural) ?? throw new InvalidOperationException($"no resource {plural}");
    }

    private static RequestContext Request(ApiResource resource, string? ns, string name) =>
        new() { User = Self, Resource = resource, Namespace = resource.Namespaced ? ns : null, Name = name };

    /// <summary>The address this machine uses towards the outside; no packet is sent.</summary>
    private static string OutwardAddress()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(IPAddress.Parse("192.0.2.1"), 9);
            return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            // No route: a machine on its own. Endpoints may not be loopback addresses.
            return "192.0.2.1";
        }
    }

    [LoggerMessage(1, LogLevel.Information, "waiting for the store at {Store}: {Reason}")]
    private static partial void StoreAwaited(ILogger logger, string store, string reason);
}
