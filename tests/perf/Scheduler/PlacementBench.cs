using System.Diagnostics;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Perf.Scheduler;

/// <summary>Placement alone, without API: pods a second on so many nodes, in runs of 256 like pods; the managed reference beside it at a small size.</summary>
internal static class PlacementBench
{
    public static Task<int> Run(string[] args)
    {
        var pods = args.Length > 0 ? int.Parse(args[0]) : 5000;
        Console.WriteLine("engine    nodes   pods  shape      pods/s");
        foreach (var nodes in new[] { 1000, 5000 })
        {
            foreach (var shape in new[] { "plain", "spread", "zones", "apart", "near", "beside" }) Measure("native", NativeEngine.TryCreate(out _)!, nodes, Math.Min(pods, shape == "apart" ? nodes : pods), shape);
        }

        Measure("managed", new ManagedEngine(), 100, 256, "spread");
        Measure("native", NativeEngine.TryCreate(out _)!, 100, 256, "spread");
        return Task.FromResult(0);
    }

    private static void Constrain(PodSpec spec, string shape, string app = "web")
    {
        var selector = new LabelSelector { MatchLabels = new() { ["app"] = app } };
        if (shape == "zones")
            spec.TopologySpreadConstraints = [new TopologySpreadConstraint { TopologyKey = "topology.kubernetes.io/zone", MaxSkew = 1, WhenUnsatisfiable = "DoNotSchedule", LabelSelector = selector }];
        if (shape == "apart")
            spec.Affinity = new Affinity { PodAntiAffinity = new PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [new PodAffinityTerm { TopologyKey = "kubernetes.io/hostname", LabelSelector = selector }] } };
        if (shape == "near")
            spec.Affinity = new Affinity { PodAffinity = new PodAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [new PodAffinityTerm { TopologyKey = "topology.kubernetes.io/zone", LabelSelector = selector }] } };
    }

    private static void Measure(string name, IPlacementEngine engine, int nodeCount, int podCount, string shape)
    {
        using var cluster = new ClusterState(engine, () => 1);
        for (var i = 0; i < nodeCount; i++)
        {
            cluster.SetNode(new Node
            {
                Metadata = new ObjectMeta { Name = $"node-{i}", Labels = new() { ["kubernetes.io/hostname"] = $"node-{i}", ["topology.kubernetes.io/zone"] = $"zone-{i % 3}" } },
                Spec = new NodeSpec(),
                Status = new NodeStatus { Allocatable = new() { ["cpu"] = "16", ["memory"] = "64Gi", ["pods"] = "110" } },
            });
        }

        var pod = new Pod
        {
            Metadata = new ObjectMeta { Namespace = "default", Name = "p", Labels = new() { ["app"] = "web" }, OwnerReferences = shape == "spread" ? [new OwnerReference { Uid = "owner", Controller = true }] : null },
            Spec = new PodSpec { Containers = [new Container { Name = "c", Resources = new ResourceRequirements { Requests = new() { ["cpu"] = "100m", ["memory"] = "128Mi" } } }] },
        };
        Constrain(pod.Spec, shape);
        if (shape == "beside")
        {
            // A plain pod, while one that runs keeps others of another kind away.
            var lonely = new Pod { Metadata = new ObjectMeta { Namespace = "default", Name = "lonely", Labels = new() { ["app"] = "lonely" } }, Spec = new PodSpec() };
            Constrain(lonely.Spec, "apart", "other");
            cluster.SetPod("lonely", "node-0", new PodBlueprint(lonely));
        }

        var blueprint = new PodBlueprint(pod);
        var watch = Stopwatch.StartNew();
        for (var done = 0; done < podCount; done += 256)
        {
            var uids = Enumerable.Range(done, Math.Min(256, podCount - done)).Select(i => $"uid-{i}").ToArray();
            if (cluster.Place(blueprint, uids).Nodes.Count != uids.Length) throw new InvalidOperationException("the nodes are full");
        }

        Console.WriteLine($"{name,-8}{nodeCount,7}{podCount,7}  {shape,-8}{podCount / watch.Elapsed.TotalSeconds,9:F0}");
    }
}
