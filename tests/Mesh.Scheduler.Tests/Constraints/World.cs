using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Scheduler.Cluster;
using Mesh.Scheduler.Constraints;
using Mesh.Scheduler.Engine;
using Mesh.Scheduler.Model;

namespace Mesh.Scheduler.Tests.Constraints;

/// <summary>A small cluster with zones, and short ways to say constraints.</summary>
internal static class World
{
    public const string Zone = "topology.kubernetes.io/zone";
    public const string Host = "kubernetes.io/hostname";

    public static Node Node(string name, string? zone = null, Action<Node>? change = null)
    {
        // So large that load decides nothing.
        var node = Build.Node(name, "1000", "4000Gi", "1000", zone is null ? null : new() { [Zone] = zone });
        change?.Invoke(node);
        return node;
    }

    public static ClusterState Start(bool native, params Node[] nodes)
    {
        var cluster = new ClusterState(native ? NativeEngine.TryCreate(out _)! : new ManagedEngine(), () => 1);
        foreach (var node in nodes) cluster.SetNode(node);
        return cluster;
    }

    public static Pod Pod(string name, string? app = null, Action<Pod>? change = null)
    {
        var pod = Build.Pod(name);
        if (app is not null) pod.Metadata.Labels = new() { ["app"] = app };
        change?.Invoke(pod);
        return pod;
    }

    public static LabelSelector App(string app) => new() { MatchLabels = new() { ["app"] = app } };

    public static PodAffinityTerm Term(string app, string key = Zone, Action<PodAffinityTerm>? change = null)
    {
        var term = new PodAffinityTerm { LabelSelector = App(app), TopologyKey = key };
        change?.Invoke(term);
        return term;
    }

    public static Action<Pod> Near(params PodAffinityTerm[] terms) => p => (p.Spec!.Affinity ??= new()).PodAffinity = new PodAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [.. terms] };

    public static Action<Pod> Apart(params PodAffinityTerm[] terms) => p => (p.Spec!.Affinity ??= new()).PodAntiAffinity = new PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [.. terms] };

    public static Action<Pod> Likes(int weight, PodAffinityTerm term) => p =>
        (p.Spec!.Affinity ??= new()).PodAffinity = new PodAffinity { PreferredDuringSchedulingIgnoredDuringExecution = [new WeightedPodAffinityTerm { Weight = weight, PodAffinityTerm = term }] };

    public static Action<Pod> Dislikes(int weight, PodAffinityTerm term) => p =>
        (p.Spec!.Affinity ??= new()).PodAntiAffinity = new PodAntiAffinity { PreferredDuringSchedulingIgnoredDuringExecution = [new WeightedPodAffinityTerm { Weight = weight, PodAffinityTerm = term }] };

    public static Action<Pod> Spread(string app, string key = Zone, int skew = 1, string when = "DoNotSchedule", Action<TopologySpreadConstraint>? change = null) => p =>
    {
        var constraint = new TopologySpreadConstraint { LabelSelector = App(app), TopologyKey = key, MaxSkew = skew, WhenUnsatisfiable = when };
        change?.Invoke(constraint);
        (p.Spec!.TopologySpreadConstraints ??= []).Add(constraint);
    };

    /// <summary>A pod that runs on a node.</summary>
    public static void Run(ClusterState cluster, string node, Pod pod)
    {
        pod.Spec!.NodeName = node;
        cluster.SetPod(pod.Metadata.Uid!, node, new PodBlueprint(pod));
    }

    public static Placement Place(ClusterState cluster, params Pod[] pods) =>
        cluster.Place(new PodBlueprint(pods[0]), [.. pods.Select(p => p.Metadata.Uid!)], [.. pods.Select(PodIdentity.Of)]);
}
