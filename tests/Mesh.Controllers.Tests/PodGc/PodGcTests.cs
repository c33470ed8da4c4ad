using Mesh.Api.Core.V1;
using Mesh.Controllers.PodGc;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.PodGc;

public sealed class PodGcTests : ControllerTest
{
    [Fact]
    public void The_oldest_finished_pods_go_past_the_threshold()
    {
        var pods = Enumerable.Range(0, 5).Select(i =>
        {
            var pod = Make.Pod("p" + i, "Succeeded");
            pod.Metadata.CreationTimestamp = Time.Now.AddHours(-i);
            return pod;
        }).ToList();
        Assert.Equal(["p4", "p3"], PodGcDecision.Decide(pods, _ => false, 3).Select(x => x.Pod.Metadata.Name!));
        Assert.Empty(PodGcDecision.Decide(pods, _ => false, 0));
    }

    [Fact]
    public async Task Pods_of_a_node_that_is_gone_go_after_quarantine()
    {
        Client.Seed(Make.Pod("lost", node: "gone"));
        Client.Seed(Make.Pod("fine"));
        Client.Seed(new Node { Metadata = new() { Name = "n1" } });
        using var c = new PodGcController(Context);
        await StartAsync(c);
        await SettleAsync(() => true, "first round", c);
        Time.Advance(TimeSpan.FromSeconds(21));
        await SettleAsync(() => true, "in quarantine", c);
        Assert.NotNull(Client.Find<Pod>("ns", "lost"));
        await SettleAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(21));
                return Client.Find<Pod>("ns", "lost") is null;
            },
            "collected", c);
        Assert.NotNull(Client.Find<Pod>("ns", "fine"));
    }
}
