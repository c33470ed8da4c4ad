using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;

namespace Mesh.Controllers.Tests.Framework;

/// <summary>Objects for tests.</summary>
internal static class Make
{
    internal static PodTemplateSpec Template(string image = "nginx:1") => new()
    {
        Metadata = new ObjectMeta { Labels = new() { ["app"] = "web" } },
        Spec = new PodSpec { Containers = [new Container { Name = "c", Image = image, Ports = [new ContainerPort { Name = "http", ContainerPortValue = 8080, Protocol = "TCP" }] }] },
    };

    internal static Deployment Deployment(int replicas, string image = "nginx:1") => new()
    {
        Metadata = new ObjectMeta { Namespace = "ns", Name = "web", Uid = "d-uid", Generation = 1 },
        Spec = new DeploymentSpec
        {
            Replicas = replicas,
            Selector = Selector(),
            Template = Template(image),
            RevisionHistoryLimit = 10,
            ProgressDeadlineSeconds = 600,
        },
    };

    internal static ReplicaSet ReplicaSet(int replicas) => new()
    {
        Metadata = new ObjectMeta { Namespace = "ns", Name = "web" },
        Spec = new ReplicaSetSpec { Replicas = replicas, Selector = Selector(), Template = Template() },
    };

    internal static Pod Pod(string name, string phase = "Running", bool ready = true, string? node = "n1", string? ip = "10.0.0.1") => new()
    {
        Metadata = new ObjectMeta { Namespace = "ns", Name = name, Uid = name, Labels = new() { ["app"] = "web" } },
        Spec = new PodSpec { NodeName = node, Containers = Template().Spec!.Containers },
        Status = new PodStatus { Phase = phase, PodIP = ip, Conditions = [new PodCondition { Type = "Ready", Status = ready ? "True" : "False" }] },
    };

    internal static LabelSelector Selector() => new() { MatchLabels = new() { ["app"] = "web" } };
}
