using System.Net.Http;
using System.Text.Json.Nodes;
using Grpc.Core;
using Mesh.Api;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>componentstatuses (kubectl get cs): asks the components' health endpoints on this machine, and the store.</summary>
internal sealed class ComponentStatuses(EtcdClient store) : IVirtualResource, IDisposable
{
    private static readonly (string Name, string Url)[] Probed =
        [("scheduler", "https://127.0.0.1:10259/healthz"), ("controller-manager", "https://127.0.0.1:10257/healthz")];

#pragma warning disable CA5359 // Only a health word is read, from this machine; the components' certificates are self-signed as in kubeadm clusters.
    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        SslOptions = new() { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(1),
    })
    { Timeout = TimeSpan.FromSeconds(2) };
#pragma warning restore CA5359

    /// <inheritdoc/>
    public bool Handles(ApiResource resource) => resource is { Group: "", Plural: "componentstatuses" };

    /// <inheritdoc/>
    public async ValueTask<JsonObject> GetAsync(RequestContext request, CancellationToken ct) =>
        (await ListAsync(request, ct)).FirstOrDefault(o => ObjectMetaRules.Text(o, "name") == request.Name)
        ?? throw new ApiException(Statuses.NotFound(request.Resource, request.Name));

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JsonObject>> ListAsync(RequestContext request, CancellationToken ct)
    {
        var asked = Probed.Select(p => ProbeAsync(p.Name, p.Url, ct)).Append(StoreAsync(ct));
        return [.. (await Task.WhenAll(asked)).OrderBy(static o => ObjectMetaRules.Text(o, "name"), StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<JsonObject> ProbeAsync(string name, string url, CancellationToken ct)
    {
        foreach (var address in new[] { url, url.Replace("https:", "http:", StringComparison.Ordinal) })
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(address), ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                return Status(name, answer.IsSuccessStatusCode, answer.IsSuccessStatusCode ? "ok" : text);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
            {
                // Speaks plain HTTP: the next address.
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
            {
                return Status(name, false, $"Get \"{url}\": dial tcp 127.0.0.1:{new Uri(url).Port}: connect: connection refused");
            }
        }

        return Status(name, false, "no answer");
    }

    private async Task<JsonObject> StoreAsync(CancellationToken ct)
    {
        try
        {
            await store.StatusAsync(ct);
            return Status("etcd-0", true, "ok");
        }
        catch (RpcException e)
        {
            return Status("etcd-0", false, e.Status.Detail);
        }
    }

    private static JsonObject Status(string name, bool healthy, string message)
    {
        var condition = new JsonObject { ["type"] = "Healthy", ["status"] = healthy ? "True" : "False", ["message"] = healthy ? message : "" };
        if (!healthy) condition["error"] = message;
        return new JsonObject
        {
            ["kind"] = "ComponentStatus",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject { ["name"] = name, ["creationTimestamp"] = null },
            ["conditions"] = new JsonArray(condition),
        };
    }
}
