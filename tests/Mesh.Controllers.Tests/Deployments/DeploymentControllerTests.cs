using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Deployments;
using Mesh.Controllers.Framework;
using Mesh.Controllers.Tests.Framework;
using Mesh.Controllers.Workloads;
using Xunit;

namespace Mesh.Controllers.Tests.Deployments;

public sealed class DeploymentControllerTests : ControllerTest
{
    private readonly ReplicaSetController _sets;
    private readonly DeploymentController _deployments;

    public DeploymentControllerTests()
    {
        _sets = new ReplicaSetController(Context);
        _deployments = new DeploymentController(Context);
    }

    private Deployment Current => Client.Find<Deployment>("ns", "web")!;

    [Fact]
    public async Task Rolls_out_and_reports_in_kubernetes_words()
    {
        Client.Seed(Make.Deployment(3));
        await StartAsync(_sets, _deployments);
        await SettleAsync(() => Client.All<Pod>().Count == 3, "three pods", _sets, _deployments);
        var set = Assert.Single(Client.All<ReplicaSet>());
        var hash = set.Metadata.Labels![TemplateHash.Label];
        Assert.Equal("web-" + hash, set.Metadata.Name);
        Assert.Equal(hash, set.Spec!.Selector!.MatchLabels![TemplateHash.Label]);
        Assert.Equal(("1", "3", "4"), (set.Metadata.Annotations![DeploymentFacts.Revision], set.Metadata.Annotations[DeploymentFacts.DesiredReplicas], set.Metadata.Annotations[DeploymentFacts.MaxReplicas]));
        Assert.Contains($"Normal ScalingReplicaSet: Scaled up replica set {set.Metadata.Name} from 0 to 3", Events.All);

        RunPods();
        await SettleAsync(() => Condition("Progressing")?.Reason == "NewReplicaSetAvailable", "complete", _sets, _deployments);
        Assert.Equal("1", Current.Metadata.Annotations![DeploymentFacts.Revision]);
        Assert.Equal((3, 3, 3, 3), (Current.Status!.Replicas, Current.Status.UpdatedReplicas, Current.Status.ReadyReplicas, Current.Status.AvailableReplicas));
        Assert.Equal(("True", "MinimumReplicasAvailable", "Deployment has minimum availability."), Words("Available"));
        Assert.Equal(("True", "NewReplicaSetAvailable", $"ReplicaSet \"{set.Metadata.Name}\" has successfully progressed."), Words("Progressing"));
    }

    [Fact]
    public async Task A_new_template_rolls_within_surge_and_availability_and_can_be_rolled_back()
    {
        await AvailableAsync(4);
        Change(d => d.Spec!.Template = Make.Template("nginx:2"));
        var (most, fewest) = (0, int.MaxValue);
        await SettleAsync(
            () =>
            {
                var pods = Client.All<Pod>().Where(PodFacts.IsActive).ToList();
                (most, fewest) = (Math.Max(most, pods.Count), Math.Min(fewest, pods.Count(PodFacts.IsReady)));
                RunPods();
                return Done("nginx:2", 4);
            },
            "rolled to nginx:2", _sets, _deployments);
        Assert.InRange(most, 4, 5);
        Assert.InRange(fewest, 3, 4);
        Assert.Equal("2", Current.Metadata.Annotations![DeploymentFacts.Revision]);

        Change(d => d.Spec!.Template = Make.Template("nginx:1"));
        await SettleAsync(
            () =>
            {
                RunPods();
                return Done("nginx:1", 4) && Current.Metadata.Annotations![DeploymentFacts.Revision] == "3";
            },
            "rolled back", _sets, _deployments);
        Assert.Equal(2, Client.All<ReplicaSet>().Count);
        var back = Client.All<ReplicaSet>().Single(rs => rs.Spec!.Replicas == 4);
        Assert.Equal(("3", "1"), (back.Metadata.Annotations![DeploymentFacts.Revision], back.Metadata.Annotations[DeploymentFacts.RevisionHistory]));
    }

    [Fact]
    public async Task A_template_that_never_becomes_ready_keeps_the_old_pods_and_misses_its_deadline()
    {
        await AvailableAsync(4);
        Change(d => d.Spec!.Template = Make.Template("broken"));
        await SettleAsync(() => Client.All<Pod>().Count(p => p.Spec!.Containers![0].Image == "broken") == 2, "surge and room used", _sets, _deployments);
        await SettleAsync(() => Client.All<Pod>().Count(p => p.Spec!.Containers![0].Image == "nginx:1") == 3, "old ones stay", _sets, _deployments);
        await SettleAsync(
            () =>
            {
                // Whenever the controller has seen the state it waits in: time passes until the deadline has come for it.
                Time.Advance(TimeSpan.FromSeconds(700));
                return Condition("Progressing") is { Status: "False", Reason: "ProgressDeadlineExceeded" };
            },
            "deadline", _sets, _deployments);
        Assert.EndsWith("has timed out progressing.", Condition("Progressing")!.Message, StringComparison.Ordinal);
        Assert.Equal("True", Condition("Available")!.Status);
    }

    [Fact]
    public async Task Scaling_goes_to_the_present_set()
    {
        await AvailableAsync(2);
        Change(d => d.Spec!.Replicas = 5);
        await SettleAsync(() => Client.All<Pod>().Count == 5, "five", _sets, _deployments);
        Assert.Contains(Events.All, e => e.EndsWith("from 2 to 5", StringComparison.Ordinal));
        Change(d => d.Spec!.Replicas = 0);
        await SettleAsync(() => !Client.All<Pod>().Any(PodFacts.IsActive), "none", _sets, _deployments);
    }

    [Fact]
    public async Task Recreate_waits_for_the_old_pods_to_end()
    {
        var d = Make.Deployment(2);
        d.Spec!.Strategy = new DeploymentStrategy { Type = "Recreate" };
        Client.Seed(d);
        await StartAsync(_sets, _deployments);
        await SettleAsync(() => Client.All<Pod>().Count == 2, "two", _sets, _deployments);
        foreach (var pod in Client.All<Pod>()) await Client.BindAsync([new(pod.Metadata.Namespace!, pod.Metadata.Name!, "", "n1")]);
        RunPods();
        Change(x => x.Spec!.Template = Make.Template("nginx:2"));
        await SettleAsync(() => Client.All<Pod>().All(p => p.Metadata.DeletionTimestamp is not null), "old ones asked to go", _sets, _deployments);
        Assert.DoesNotContain(Client.All<Pod>(), p => p.Spec!.Containers![0].Image == "nginx:2");
        foreach (var pod in Client.All<Pod>()) await Client.DeleteAsync<Pod>("ns", pod.Metadata.Name!, new() { GracePeriodSeconds = 0 });
        await SettleAsync(() => Client.All<Pod>().Count(p => p.Spec!.Containers![0].Image == "nginx:2") == 2, "new ones", _sets, _deployments);
    }

    [Fact]
    public async Task Paused_means_no_roll_out()
    {
        await AvailableAsync(2);
        Change(d =>
        {
            d.Spec!.Paused = true;
            d.Spec.Template = Make.Template("nginx:2");
        });
        await SettleAsync(() => Condition("Progressing")?.Reason == "DeploymentPaused", "paused", _sets, _deployments);
        Assert.Single(Client.All<ReplicaSet>());
        Change(d => d.Spec!.Paused = null);
        await SettleAsync(() => Client.All<ReplicaSet>().Count == 2, "resumed", _sets, _deployments);
    }

    [Fact]
    public async Task History_keeps_the_limit()
    {
        var d = Make.Deployment(1);
        d.Spec!.RevisionHistoryLimit = 1;
        Client.Seed(d);
        await StartAsync(_sets, _deployments);
        foreach (var image in new[] { "nginx:1", "nginx:2", "nginx:3", "nginx:4" })
        {
            Change(x => x.Spec!.Template = Make.Template(image));
            await SettleAsync(
                () =>
                {
                    RunPods();
                    return Done(image, 1);
                },
                image, _sets, _deployments);
        }

        await SettleAsync(() => Client.All<ReplicaSet>().Count == 2, "two sets left", _sets, _deployments);
    }

    private bool Done(string image, int replicas) =>
        Client.All<Pod>().Where(PodFacts.IsActive).ToList() is { } pods && pods.Count == replicas && pods.All(p => p.Spec!.Containers![0].Image == image)
        && Current.Status is { } s && s.UpdatedReplicas == replicas && s.AvailableReplicas == replicas && s.Replicas == replicas && Condition("Progressing")?.Reason == "NewReplicaSetAvailable";

    private async Task AvailableAsync(int replicas)
    {
        Client.Seed(Make.Deployment(replicas));
        await StartAsync(_sets, _deployments);
        await SettleAsync(
            () =>
            {
                RunPods();
                return Done("nginx:1", replicas);
            },
            "available", _sets, _deployments);
    }

    private void Change(Action<Deployment> change)
    {
        var d = Current;
        change(d);
        d.Metadata.Generation++;
        Client.Seed(d);
    }

    private DeploymentCondition? Condition(string type) => Current.Status?.Conditions?.Find(c => c.Type == type);

    private (string?, string?, string?) Words(string type) => (Condition(type)?.Status, Condition(type)?.Reason, Condition(type)?.Message);
}
