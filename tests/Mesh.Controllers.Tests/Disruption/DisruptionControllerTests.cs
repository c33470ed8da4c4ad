using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Api.Policy.V1;
using Mesh.Controllers.Disruption;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Disruption;

public sealed class DisruptionControllerTests : ControllerTest
{
    private PodDisruptionBudgetStatus? Status => Client.Find<PodDisruptionBudget>("ns", "web")!.Status;

    [Theory]
    [InlineData("min", "2", 3, 2)]
    [InlineData("min", "50%", 3, 2)] // half of three, rounded up
    [InlineData("max", "1", 3, 2)]
    [InlineData("max", "30%", 3, 2)] // a third of a pod is a pod
    [InlineData("max", "100%", 3, 0)]
    public void Expectations(string field, string value, int pods, int desired)
    {
        var spec = field == "min" ? new PodDisruptionBudgetSpec { MinAvailable = IntOrString.Parse(value) } : new PodDisruptionBudgetSpec { MaxUnavailable = IntOrString.Parse(value) };
        Assert.Equal(new Expectation(pods, desired), DisruptionDecision.Expect(spec, pods, () => 3));
    }

    [Fact]
    public async Task Follows_the_pods()
    {
        var set = Client.Seed(Make.ReplicaSet(3));
        foreach (var name in (string[])["a", "b", "c"]) Client.Seed(Owned(name, set, ready: name != "c"));
        Client.Seed(Budget(new PodDisruptionBudgetSpec { MinAvailable = "50%" }));
        using var c = new DisruptionController(Context);
        await StartAsync(c);
        await SettleAsync(() => Status is { ExpectedPods: 3, DesiredHealthy: 2, CurrentHealthy: 2, DisruptionsAllowed: 0 }, "two are needed, two are there", c);
        Assert.Equal(("DisruptionAllowed", "False", "InsufficientPods"), (Status!.Conditions![0].Type, Status.Conditions[0].Status, Status.Conditions[0].Reason));

        Client.Seed(Owned("c", set, ready: true));
        await SettleAsync(() => Status is { CurrentHealthy: 3, DisruptionsAllowed: 1, ObservedGeneration: 1 }, "one may go", c);
        Assert.Equal(("True", "SufficientPods"), (Status!.Conditions![0].Status, Status.Conditions[0].Reason));
    }

    [Fact]
    public async Task An_eviction_that_does_not_happen_gives_its_allowance_back()
    {
        var set = Client.Seed(Make.ReplicaSet(2));
        Client.Seed(Owned("a", set, ready: true));
        Client.Seed(Owned("b", set, ready: true));
        var budget = Budget(new PodDisruptionBudgetSpec { MinAvailable = 1 });
        budget.Status = new PodDisruptionBudgetStatus { DisruptedPods = new() { ["a"] = Time.Now, ["gone"] = Time.Now } };
        Client.Seed(budget);
        using var c = new DisruptionController(Context);
        await StartAsync(c);
        await SettleAsync(() => Status is { CurrentHealthy: 1, DisruptionsAllowed: 0, DisruptedPods.Count: 1 }, "it counts as gone", c);
        Time.Advance(TimeSpan.FromSeconds(121));
        await SettleAsync(() => Status is { CurrentHealthy: 2, DisruptionsAllowed: 1, DisruptedPods: null }, "it is still there", c);
        Assert.Contains("Warning NotDeleted: Pod was expected by PDB ns/web to be deleted but it wasn't", Events.All);
    }

    [Fact]
    public async Task What_cannot_be_counted_may_not_be_disrupted()
    {
        Client.Seed(Budget(new PodDisruptionBudgetSpec { MaxUnavailable = 1 }));
        var pod = Make.Pod("a");
        pod.Metadata.OwnerReferences = [new OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = "j", Uid = "j", Controller = true }];
        Client.Seed(pod);
        using var c = new DisruptionController(Context);
        await StartAsync(c);
        await SettleAsync(() => Status?.Conditions is [{ Reason: "SyncFailed", Status: "False" }], "failed", c);
        Assert.Equal("jobs.batch does not implement the scale subresource", Status!.Conditions![0].Message);
        Assert.Contains(Events.All, e => e.StartsWith("Warning CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: ", StringComparison.Ordinal));
    }

    private static PodDisruptionBudget Budget(PodDisruptionBudgetSpec spec)
    {
        spec.Selector = Make.Selector();
        return new PodDisruptionBudget { Metadata = new ObjectMeta { Namespace = "ns", Name = "web" }, Spec = spec };
    }

    private static Pod Owned(string name, Mesh.Api.Apps.V1.ReplicaSet set, bool ready)
    {
        var pod = Make.Pod(name, ready: ready);
        pod.Metadata.OwnerReferences = [Owners.ControllerReference(set)];
        return pod;
    }
}
