using Mesh.Api.Apps.V1;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Controllers.Quotas;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Quotas;

public sealed class ResourceQuotaControllerTests : ControllerTest
{
    private ResourceQuotaStatus? Status => Client.Find<ResourceQuota>("ns", "q")!.Status;

    [Fact]
    public async Task Counts_what_is_there_and_again_when_it_goes()
    {
        Client.Seed(Quota(new() { ["pods"] = "9", ["requests.cpu"] = "4", ["services.nodeports"] = "9", ["requests.storage"] = "9Gi", ["count/deployments.apps"] = "9" }));
        Client.Seed(Pod("a", "500m"));
        Client.Seed(Pod("b", "1"));
        var ended = Pod("c", "1");
        ended.Status!.Phase = "Succeeded";
        Client.Seed(ended);
        Client.Seed(new Service { Metadata = new() { Namespace = "ns", Name = "s" }, Spec = new() { Type = "NodePort", Ports = [new() { Port = 1 }, new() { Port = 2 }] } });
        Client.Seed(new PersistentVolumeClaim { Metadata = new() { Namespace = "ns", Name = "v" }, Spec = new() { Resources = new() { Requests = new() { ["storage"] = "2Gi" } } } });
        Client.Seed(Make.Deployment(1));
        using var c = new ResourceQuotaController(Context);
        await StartAsync(c);
        await SettleAsync(() => Used("pods") == "2", "two pods run", c);
        Assert.Equal(("1500m", "2", "2Gi", "1"), (Used("requests.cpu"), Used("services.nodeports"), Used("requests.storage"), Used("count/deployments.apps")));
        Assert.Equal("9", Status!.Hard!["pods"]);

        await Client.DeleteAsync<Pod>("ns", "b", new DeleteOptions { GracePeriodSeconds = 0 });
        await SettleAsync(() => Used("pods") == "1" && Used("requests.cpu") == "500m", "one pod is left", c);
        await Client.DeleteAsync<Deployment>("ns", "web");
        await SettleAsync(() => Used("count/deployments.apps") == "0", "no deployment is left", c);
    }

    [Fact]
    public async Task Counts_what_is_in_its_scopes_only()
    {
        var quota = Quota(new() { ["pods"] = "9" });
        quota.Spec!.Scopes = ["BestEffort"];
        Client.Seed(quota);
        Client.Seed(Pod("a", "1"));
        var best = Pod("b", null);
        best.Status!.QosClass = "BestEffort";
        Client.Seed(best);
        using var c = new ResourceQuotaController(Context);
        await StartAsync(c);
        await SettleAsync(() => Used("pods") == "1", "one pod asks for nothing", c);
    }

    private string? Used(string name) => Status?.Used?.GetValueOrDefault(name);

    private static ResourceQuota Quota(Dictionary<string, string> hard) => new() { Metadata = new ObjectMeta { Namespace = "ns", Name = "q" }, Spec = new ResourceQuotaSpec { Hard = hard } };

    private static Pod Pod(string name, string? cpu)
    {
        var pod = Make.Pod(name);
        pod.Spec!.Containers = [new Container { Name = "c", Image = "x", Resources = new ResourceRequirements { Requests = cpu is null ? null : new() { ["cpu"] = cpu } } }];
        return pod;
    }
}
