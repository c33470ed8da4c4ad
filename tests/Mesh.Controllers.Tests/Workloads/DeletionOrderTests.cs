using Mesh.Api.Core.V1;
using Mesh.Controllers.Tests.Framework;
using Mesh.Controllers.Workloads;
using Xunit;

namespace Mesh.Controllers.Tests.Workloads;

public sealed class DeletionOrderTests
{
    private static readonly DateTime Now = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    public static TheoryData<string, Pod, Pod> Pairs => new()
    {
        { "not assigned before assigned", Make.Pod("first", node: null), Make.Pod("second") },
        { "pending before running", Make.Pod("first", "Pending"), Make.Pod("second") },
        { "unknown before running", Make.Pod("first", "Unknown"), Make.Pod("second") },
        { "not ready before ready", Make.Pod("first", ready: false), Make.Pod("second") },
        { "lower cost before higher", With(Make.Pod("first"), p => p.Metadata.Annotations = new() { ["controller.kubernetes.io/pod-deletion-cost"] = "-5" }), Make.Pod("second") },
        { "ready shortly before ready long", ReadySince("first", Now.AddSeconds(-2)), ReadySince("second", Now.AddHours(-2)) },
        { "more restarts before fewer", With(Make.Pod("first"), p => p.Status!.ContainerStatuses = [new ContainerStatus { RestartCount = 7 }]), Make.Pod("second") },
        { "younger before older", With(Make.Pod("first"), p => p.Metadata.CreationTimestamp = Now.AddMinutes(-1)), With(Make.Pod("second"), p => p.Metadata.CreationTimestamp = Now.AddDays(-1)) },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Goes_first(string rule, Pod first, Pod second)
    {
        Assert.NotEmpty(rule);
        Assert.Equal("first", Assert.Single(DeletionOrder.Choose([second, first], [second, first], 1, Now)).Metadata.Name);
        Assert.Equal("first", Assert.Single(DeletionOrder.Choose([first, second], [first, second], 1, Now)).Metadata.Name);
    }

    [Fact]
    public void Pods_on_crowded_nodes_go_first()
    {
        Pod[] pods = [Make.Pod("lonely", node: "n2"), Make.Pod("a"), Make.Pod("b")];
        Assert.DoesNotContain(DeletionOrder.Choose(pods, pods, 2, Now), p => p.Metadata.Name == "lonely");
    }

    private static Pod ReadySince(string name, DateTime since) => With(Make.Pod(name), p => p.Status!.Conditions![0].LastTransitionTime = since);

    private static Pod With(Pod pod, Action<Pod> change)
    {
        change(pod);
        return pod;
    }
}
