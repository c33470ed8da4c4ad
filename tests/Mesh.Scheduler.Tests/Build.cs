using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;

namespace Mesh.Scheduler.Tests;

/// <summary>Small pods and nodes.</summary>
internal static class Build
{
    public static Node Node(string name, string cpu = "4", string memory = "8Gi", string pods = "110", Dictionary<string, string>? labels = null, bool cordoned = false, params Taint[] taints) => new()
    {
        Metadata = new ObjectMeta { Name = name, Labels = new(labels ?? []) { ["kubernetes.io/hostname"] = name } },
        Spec = new NodeSpec { Unschedulable = cordoned ? true : null, Taints = taints.Length == 0 ? null : [.. taints] },
        Status = new NodeStatus { Allocatable = new() { ["cpu"] = cpu, ["memory"] = memory, ["pods"] = pods, ["ephemeral-storage"] = "100Gi" } },
    };

    public static Taint Taint(string key, string value = "", string effect = "NoSchedule") => new() { Key = key, Value = value, Effect = effect };

    public static Pod Pod(string name, string? cpu = null, string? memory = null, Action<Pod>? change = null)
    {
        var requests = new Dictionary<string, string>();
        if (cpu is not null) requests["cpu"] = cpu;
        if (memory is not null) requests["memory"] = memory;
        var pod = new Pod
        {
            Metadata = new ObjectMeta { Name = name, Namespace = "default", Uid = "uid-" + name },
            Spec = new PodSpec { Containers = [new Container { Name = "c", Image = "i", Resources = new ResourceRequirements { Requests = requests } }], SchedulerName = "default-scheduler" },
        };
        change?.Invoke(pod);
        return pod;
    }
}

internal sealed class TestTime : TimeProvider
{
    public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(56);

    public override DateTimeOffset GetUtcNow() => Now;
}
