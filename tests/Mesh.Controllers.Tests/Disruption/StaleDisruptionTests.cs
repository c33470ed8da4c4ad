using Mesh.Api.Core.V1;
using Mesh.Controllers.Disruption;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Disruption;

public sealed class StaleDisruptionTests : ControllerTest
{
    [Fact]
    public async Task An_announcement_that_is_not_kept_is_taken_back_after_two_minutes()
    {
        Client.Seed(Marked("stays", "EvictionByEvictionAPI"));
        Client.Seed(Marked("node-said", "TerminationByKubelet"));
        using var c = new StaleDisruptionController(Context);
        await StartAsync(c);
        await c.DrainAsync();
        Time.Advance(TimeSpan.FromSeconds(119));
        await c.DrainAsync();
        Assert.Equal("True", Condition("stays").Status);

        Time.Advance(TimeSpan.FromSeconds(2));
        await SettleAsync(() => Condition("stays").Status == "False", "taken back", c);
        Assert.Equal(("EvictionByEvictionAPI", Time.Now), (Condition("stays").Reason, Condition("stays").LastTransitionTime));
        Assert.Equal("True", Condition("node-said").Status);
    }

    [Theory]
    [InlineData("Running", false, true)]
    [InlineData("Failed", false, false)]
    [InlineData("Running", true, false)]
    public void Pods_that_end_keep_theirs(string phase, bool going, bool stale)
    {
        var pod = Marked("p", "PreemptionByScheduler");
        pod.Status!.Phase = phase;
        pod.Metadata.DeletionTimestamp = going ? Time.Now : null;
        Assert.Equal(stale, StaleDisruptionController.StaleAt(pod) is not null);
    }

    private PodCondition Condition(string name) => Client.Find<Pod>("ns", name)!.Status!.Conditions![0];

    private Pod Marked(string name, string reason) => new()
    {
        Metadata = new() { Name = name, Namespace = "ns" },
        Status = new() { Phase = "Running", Conditions = [new() { Type = "DisruptionTarget", Status = "True", Reason = reason, LastTransitionTime = Time.Now }] },
    };
}
