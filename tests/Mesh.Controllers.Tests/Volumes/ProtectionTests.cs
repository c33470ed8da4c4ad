using Mesh.Api.Core.V1;
using Mesh.Controllers.Tests.Framework;
using Mesh.Controllers.Volumes;
using Xunit;

namespace Mesh.Controllers.Tests.Volumes;

/// <summary>Finalizers of volumes and claims: there while used, gone when not.</summary>
public sealed class ProtectionTests : ControllerTest
{
    [Fact]
    public async Task A_deleted_claim_stays_while_a_pod_on_a_node_uses_it()
    {
        Client.Seed(User("web", node: "n1"));
        Client.Seed(Claim("data", deleting: true));
        using var c = new ClaimProtectionController(Context);
        await StartAsync(c);
        await SettleAsync(() => true, "first look", c);
        Assert.Contains(Protection.Claim, Client.Find<PersistentVolumeClaim>("ns", "data")!.Metadata.Finalizers!);
        await Client.DeleteAsync<Pod>("ns", "web", new() { GracePeriodSeconds = 0 });
        await SettleAsync(() => IsFree(Client.Find<PersistentVolumeClaim>("ns", "data")), "freed when the pod is gone", c);
    }

    [Fact]
    public async Task A_pod_without_a_node_does_not_hold_a_claim()
    {
        Client.Seed(User("web", node: null));
        Client.Seed(Claim("data", deleting: true));
        using var c = new ClaimProtectionController(Context);
        await StartAsync(c);
        await SettleAsync(() => IsFree(Client.Find<PersistentVolumeClaim>("ns", "data")), "freed at once", c);
    }

    [Fact]
    public async Task A_claim_from_before_gets_its_finalizer()
    {
        var claim = Claim("old", deleting: false);
        claim.Metadata.Finalizers = null;
        Client.Seed(claim);
        using var c = new ClaimProtectionController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<PersistentVolumeClaim>("ns", "old")!.Metadata.Finalizers?.Contains(Protection.Claim) == true, "protected", c);
    }

    [Fact]
    public void A_volume_made_for_a_pod_is_free_when_that_has_shut_down()
    {
        var pod = Make.Pod("web");
        pod.Spec!.Volumes = [new Volume { Name = "tmp", Ephemeral = new EphemeralVolumeSource() }];
        var claim = Claim("web-tmp", deleting: true);
        claim.Metadata.OwnerReferences = [new() { Controller = true, Uid = pod.Metadata.Uid, Name = "web", Kind = "Pod" }];
        Assert.True(ClaimUse.Uses(pod, claim));
        claim.Metadata.OwnerReferences[0].Uid = "another";
        Assert.False(ClaimUse.Uses(pod, claim));
        claim.Metadata.OwnerReferences[0].Uid = pod.Metadata.Uid;
        (pod.Metadata.DeletionTimestamp, pod.Metadata.DeletionGracePeriodSeconds) = (Time.Now, 0);
        Assert.False(ClaimUse.Uses(pod, claim));
    }

    [Theory]
    [InlineData("Bound", false)]
    [InlineData("Released", true)]
    [InlineData("Available", true)]
    public async Task A_deleted_volume_stays_while_it_is_bound(string phase, bool goes)
    {
        Client.Seed(new PersistentVolume
        {
            Metadata = new() { Name = "v", Uid = "v", Finalizers = [Protection.Volume, "example.com/other"], DeletionTimestamp = Time.Now },
            Status = new() { Phase = phase },
        });
        using var c = new VolumeProtectionController(Context);
        await StartAsync(c);
        await SettleAsync(() => !goes || Client.Find<PersistentVolume>(null, "v")!.Metadata.Finalizers is ["example.com/other"], "decided", c);
        Assert.Equal(!goes, Client.Find<PersistentVolume>(null, "v")!.Metadata.Finalizers!.Contains(Protection.Volume));
    }

    [Fact]
    public async Task A_bound_volume_goes_when_its_claim_has_let_go()
    {
        var volume = new PersistentVolume { Metadata = new() { Name = "v", Uid = "v", Finalizers = [Protection.Volume, "example.com/other"], DeletionTimestamp = Time.Now }, Status = new() { Phase = "Bound" } };
        Client.Seed(volume);
        using var c = new VolumeProtectionController(Context);
        await StartAsync(c);
        await SettleAsync(() => true, "first look", c);
        var released = Client.Find<PersistentVolume>(null, "v")!.Clone();
        released.Status!.Phase = "Released";
        Client.Seed(released);
        await SettleAsync(() => Client.Find<PersistentVolume>(null, "v")?.Metadata.Finalizers is ["example.com/other"], "released", c);
    }

    private static bool IsFree(PersistentVolumeClaim? claim) => claim?.Metadata.Finalizers?.Contains(Protection.Claim) != true;

    private PersistentVolumeClaim Claim(string name, bool deleting) => new()
    {
        Metadata = new() { Namespace = "ns", Name = name, Uid = name, Finalizers = [Protection.Claim], DeletionTimestamp = deleting ? Time.Now : null },
    };

    private static Pod User(string name, string? node)
    {
        var pod = Make.Pod(name, node: node);
        pod.Spec!.Volumes = [new Volume { Name = "v", PersistentVolumeClaim = new() { ClaimName = "data" } }];
        return pod;
    }
}
