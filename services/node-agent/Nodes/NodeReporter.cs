using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mesh.Api;
using Mesh.Api.Coordination.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Nodes;

/// <summary>How the node presents itself.</summary>
internal sealed record NodeIdentity
{
    public required string Name { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<Taint> Taints { get; init; } = [];

    /// <summary>The node's pod CIDR when it is given by the operator; null when a controller gives it.</summary>
    public string? PodCidr { get; init; }
}

/// <summary>
/// Registers the node, keeps its status and its lease. Status is written on change and every five minutes; the lease, which says that the
/// node lives, every ten seconds (KEP-589).
/// </summary>
internal sealed class NodeReporter(IKubeClient client, NodeIdentity identity, Func<CancellationToken, Task<NodeFacts>> facts, IEventRecorder? recorder, TimeProvider time, ILogger log)
{
    private const string LeaseNamespace = "kube-node-lease";
    private const int LeaseSeconds = 40;
    private static readonly TimeSpan LeaseStep = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusStep = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusAtLeast = TimeSpan.FromMinutes(5);
    private readonly Channel<bool> now = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private NodeStatus? sent;
    private DateTime sentAt;

    /// <summary>The node object as last seen.</summary>
    public Node? Node { get; private set; }

    /// <summary>Look at the status now instead of at the next step.</summary>
    public void StatusChanged() => now.Writer.TryWrite(true);

    /// <summary>Creates the node object, or brings an existing one's labels and pod CIDR up to date; tries until it succeeds.</summary>
    public async Task RegisterAsync(CancellationToken ct)
    {
        for (var delay = TimeSpan.FromMilliseconds(100); ; delay = delay * 2 < TimeSpan.FromSeconds(7) ? delay * 2 : TimeSpan.FromSeconds(7))
        {
            try
            {
                Node = await TryRegisterAsync(ct);
                NodeLog.Registered(log, identity.Name);
                if (recorder is not null)
                    NodeEvents.Record(recorder, identity.Name, "Starting", "Starting kubelet.");
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                NodeLog.NotRegistered(log, identity.Name, e.Message);
                await Task.Delay(delay, time, ct);
            }
        }
    }

    /// <summary>Writes the status once, if it must be.</summary>
    public async Task ReportAsync(CancellationToken ct)
    {
        var gathered = await facts(ct);
        var status = NodeStatusBuilder.Build(sent ?? Node?.Status, gathered);
        if (sent is not null && Same(sent, status) && gathered.Now - sentAt < StatusAtLeast)
            return;
        Node = await client.PatchAsync<Node>(null, identity.Name, PatchType.Strategic, Patch(status), "status", ct);
        if (recorder is not null)
            foreach (var reason in NodeEvents.Turned(sent, status))
                NodeEvents.Record(recorder, identity.Name, reason);
        (sent, sentAt) = (status, gathered.Now);
    }

    public async Task ReportLoopAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ReportAsync(ct);
            }
            catch (ApiException e) when (e.Status.Code == (int)HttpStatusCode.NotFound)
            {
                // Somebody deleted the node while it lives: it comes back, as with kubelet after a restart.
                sent = null;
                await RegisterAsync(ct);
                continue;
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                NodeLog.StatusFailed(log, e.Message);
            }

            using var wait = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(Task.Delay(StatusStep, time, wait.Token), now.Reader.WaitToReadAsync(wait.Token).AsTask());
            await wait.CancelAsync();
            now.Reader.TryRead(out _);
        }
    }

    public async Task LeaseLoopAsync(CancellationToken ct)
    {
        Lease? lease = null;
        while (!ct.IsCancellationRequested)
        {
            var pause = LeaseStep;
            try
            {
                lease = lease is null ? await EnsureLeaseAsync(ct) : await RenewAsync(lease, ct);
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                NodeLog.LeaseFailed(log, e.Message);
                lease = null;
                pause = TimeSpan.FromSeconds(1);
            }

            await Task.Delay(pause, time, ct);
        }
    }

    private static byte[] Patch(NodeStatus status)
    {
        var body = JsonNode.Parse(Pods.PodSpecExtensions.ToJson(status.WriteJson))!.AsObject();
        // Addresses merge by type: two of one type need the whole list replaced.
        if (body["addresses"] is JsonArray addresses)
            addresses.Add(new JsonObject { ["$patch"] = "replace" });
        return Encoding.UTF8.GetBytes(new JsonObject { ["status"] = body }.ToJsonString());
    }

    /// <summary>Equal but for heartbeats: those alone are the lease's business.</summary>
    private static bool Same(NodeStatus a, NodeStatus b)
    {
        NodeStatus Still(NodeStatus status)
        {
            var copy = status.Clone();
            foreach (var condition in copy.Conditions ?? [])
                condition.LastHeartbeatTime = null;
            return copy;
        }

        return NodeStatus.SemanticEquals(Still(a), Still(b));
    }

    private async Task<Node> TryRegisterAsync(CancellationToken ct)
    {
        var gathered = await facts(ct);
        var labels = new Dictionary<string, string>(identity.Labels)
        {
            ["kubernetes.io/hostname"] = identity.Name,
            ["kubernetes.io/os"] = "linux",
            ["kubernetes.io/arch"] = gathered.Machine.Architecture,
            ["beta.kubernetes.io/os"] = "linux",
            ["beta.kubernetes.io/arch"] = gathered.Machine.Architecture,
        };
        var node = new Node
        {
            Metadata = new ObjectMeta { Name = identity.Name, Labels = labels, Annotations = new() { ["volumes.kubernetes.io/controller-managed-attach-detach"] = "true" } },
            Spec = new NodeSpec { PodCIDR = identity.PodCidr, PodCIDRs = identity.PodCidr is null ? null : [identity.PodCidr], Taints = identity.Taints.Count > 0 ? [.. identity.Taints] : null },
            Status = NodeStatusBuilder.Build(null, gathered),
        };
        try
        {
            return await client.CreateAsync(node, ct);
        }
        catch (ApiException e) when (e.Status.Code == (int)HttpStatusCode.Conflict)
        {
            // It was registered before: its taints and status stay, labels of ours are renewed.
        }

        var present = await client.GetAsync<Node>(null, identity.Name, ct);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject(labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))) } };
        if (identity.PodCidr is not null && present.Spec?.PodCIDR is null or "")
            patch["spec"] = new JsonObject { ["podCIDR"] = identity.PodCidr, ["podCIDRs"] = new JsonArray(identity.PodCidr) };
        return await client.PatchAsync<Node>(null, identity.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), null, ct);
    }

    private async Task<Lease> EnsureLeaseAsync(CancellationToken ct)
    {
        try
        {
            return await RenewAsync(await client.GetAsync<Lease>(LeaseNamespace, identity.Name, ct), ct);
        }
        catch (ApiException e) when (e.Status.Code == (int)HttpStatusCode.NotFound)
        {
            var lease = new Lease
            {
                Metadata = new ObjectMeta { Name = identity.Name, Namespace = LeaseNamespace },
                Spec = new LeaseSpec { HolderIdentity = identity.Name, LeaseDurationSeconds = LeaseSeconds, RenewTime = time.GetUtcNow().UtcDateTime },
            };
            if (Node?.Metadata.Uid is { } uid)
                lease.Metadata.OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "Node", Name = identity.Name, Uid = uid }];
            return await client.CreateAsync(lease, ct);
        }
    }

    private Task<Lease> RenewAsync(Lease lease, CancellationToken ct)
    {
        var next = lease.Clone();
        next.Spec ??= new LeaseSpec();
        (next.Spec.HolderIdentity, next.Spec.LeaseDurationSeconds, next.Spec.RenewTime) = (identity.Name, LeaseSeconds, time.GetUtcNow().UtcDateTime);
        return client.UpdateAsync(next, ct);
    }
}

/// <summary>Logs of the node's registration and heartbeat.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "node {Node} is registered")]
    public static partial void Registered(ILogger log, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "node {Node} is not registered yet: {Reason}")]
    public static partial void NotRegistered(ILogger log, string node, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "node status was not written: {Reason}")]
    public static partial void StatusFailed(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "node lease was not renewed: {Reason}")]
    public static partial void LeaseFailed(ILogger log, string reason);
}
