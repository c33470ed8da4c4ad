using System.Net;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Discovery.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using EndpointPort = Mesh.Api.Discovery.V1.EndpointPort;

namespace Mesh.Dns;

/// <summary>
/// Announces this server inside the cluster: Service kube-system/kube-dns at the fixed cluster IP, and an EndpointSlice that points at the
/// node's address. Writes only what differs, so a restart writes nothing.
/// </summary>
internal sealed class ClusterServicePublisher(IKubeClient client, DnsOptions options, TimeProvider time, ILogger<ClusterServicePublisher> logger) : BackgroundService
{
    private const string SystemNamespace = "kube-system";
    private const string Name = "kube-dns";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.AdvertiseAddress.Length == 0)
            return;
        for (var pause = TimeSpan.FromMilliseconds(100); ; pause = TimeSpan.FromSeconds(Math.Min(pause.TotalSeconds * 2, 10)))
        {
            try
            {
                await EnsureServiceAsync(stoppingToken);
                await EnsureSliceAsync(stoppingToken);
                return;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Log.ServicePending(logger, e.Message);
                await Task.Delay(pause, time, stoppingToken);
            }
        }
    }

    private async Task EnsureServiceAsync(CancellationToken ct)
    {
        if (await FindAsync<Service>(Name, ct) is not null)
            return;
        await client.CreateAsync(
            new Service
            {
                Metadata = new ObjectMeta { Name = Name, Namespace = SystemNamespace, Labels = Labels() },
                Spec = new ServiceSpec { ClusterIP = options.ClusterIp, Ports = [Port("dns", "UDP"), Port("dns-tcp", "TCP")] },
            },
            ct);
    }

    private async Task EnsureSliceAsync(CancellationToken ct)
    {
        var port = IPEndPoint.Parse(options.Listen).Port;
        var labels = Labels();
        labels["kubernetes.io/service-name"] = Name;
        labels["endpointslice.kubernetes.io/managed-by"] = "mesh-dns";
        var wanted = new EndpointSlice
        {
            Metadata = new ObjectMeta { Name = Name + "-mesh", Namespace = SystemNamespace, Labels = labels },
            AddressType = "IPv4",
            Endpoints = [new Endpoint { Addresses = [options.AdvertiseAddress], Conditions = new EndpointConditions { Ready = true, Serving = true, Terminating = false } }],
            Ports = [new EndpointPort { Name = "dns", Protocol = "UDP", Port = port }, new EndpointPort { Name = "dns-tcp", Protocol = "TCP", Port = port }],
        };
        var present = await FindAsync<EndpointSlice>(wanted.Metadata.Name!, ct);
        if (present is null)
        {
            await client.CreateAsync(wanted, ct);
            return;
        }

        var same = present.Endpoints is [{ Addresses: [var address] }] && address == options.AdvertiseAddress && present.Ports?.All(p => p.Port == port) == true;
        if (same)
            return;
        var update = present.Clone();
        update.Endpoints = wanted.Endpoints;
        update.Ports = wanted.Ports;
        await client.UpdateAsync(update, ct);
    }

    private async Task<T?> FindAsync<T>(string name, CancellationToken ct)
        where T : class, IKubeObject<T>
    {
        try
        {
            return await client.GetAsync<T>(SystemNamespace, name, ct);
        }
        catch (ApiException e) when (e.Status.Code == 404)
        {
            return null;
        }
    }

    private static ServicePort Port(string name, string protocol) => new() { Name = name, Port = 53, TargetPort = 53, Protocol = protocol };

    private static Dictionary<string, string> Labels() => new()
    {
        ["k8s-app"] = Name,
        ["kubernetes.io/cluster-service"] = "true",
        ["kubernetes.io/name"] = "CoreDNS",
    };
}
