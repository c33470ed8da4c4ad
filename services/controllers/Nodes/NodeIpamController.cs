using System.Text.Json.Nodes;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Nodes;

/// <summary>Gives every node a range of pod addresses.</summary>
internal sealed class NodeIpamController : KeyedController
{
    private readonly IInformer<Node> _nodes;
    private readonly IEventRecorder _recorder;
    private readonly Lock _gate = new();
    private readonly List<CidrAllocator> _ranges;
    private readonly Dictionary<string, List<string>> _given = new(StringComparer.Ordinal);

    internal NodeIpamController(ControllerContext context)
        : base(context, "node-ipam-controller", "node_ipam")
    {
        _recorder = context.Recorder("cidrAllocator");
        _ranges = [.. context.Options.ClusterCidr.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(cidr => new CidrAllocator(cidr, cidr.Contains(':') ? 64 : context.Options.NodeCidrMaskSize))];
        _nodes = WatchPrimary<Node>();
        _nodes.AddHandler((old, now) =>
        {
            // Ranges in use are taken before any is given out: all present nodes are handed here before work starts.
            if (now?.Spec?.PodCIDRs is { Count: > 0 } cidrs) Occupy(now.Metadata.Name!, cidrs);
            else if (now is null) Release(old!.Metadata.Name!);
        });
    }

    protected override async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_nodes.Lister.Get(null, key.Name) is not { Metadata.DeletionTimestamp: null } node || node.Spec?.PodCIDR is { Length: > 0 }) return ReconcileResult.Done;
        if (Give(key.Name) is not { } cidrs)
        {
            _recorder.Normal(node, "CIDRNotAvailable", $"Node {key.Name} status is now: CIDRNotAvailable");
            return ReconcileResult.After(TimeSpan.FromSeconds(10));
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid },
            ["spec"] = new JsonObject { ["podCIDR"] = cidrs[0], ["podCIDRs"] = new JsonArray([.. cidrs.Select(c => (JsonNode)c)]) },
        };
        await Client.PatchAsync<Node>(null, key.Name, PatchType.Strategic, Json.Bytes(patch), ct: ct).ConfigureAwait(false);
        return ReconcileResult.Done;
    }

    /// <summary>One allocator for the whole cluster: two would give the same range twice.</summary>
    protected override ObjectKey OwnershipOf(ObjectKey key) => new(null, Name);

    private void Occupy(string node, List<string> cidrs)
    {
        lock (_gate)
        {
            foreach (var cidr in cidrs)
            {
                foreach (var range in _ranges) range.Occupy(cidr);
            }

            _given[node] = cidrs;
        }
    }

    private void Release(string node)
    {
        lock (_gate)
        {
            if (!_given.Remove(node, out var cidrs)) return;
            foreach (var cidr in cidrs)
            {
                foreach (var range in _ranges) range.Release(cidr);
            }
        }
    }

    /// <summary>The node's ranges; what was given stays given, so that a retry does not take another.</summary>
    private List<string>? Give(string node)
    {
        lock (_gate)
        {
            if (_given.TryGetValue(node, out var given)) return given;
            var cidrs = new List<string>();
            foreach (var range in _ranges)
            {
                if (range.Allocate() is { } cidr) cidrs.Add(cidr);
            }

            if (cidrs.Count == _ranges.Count) return _given[node] = cidrs;
            foreach (var cidr in cidrs)
            {
                foreach (var range in _ranges) range.Release(cidr);
            }

            return null;
        }
    }
}
