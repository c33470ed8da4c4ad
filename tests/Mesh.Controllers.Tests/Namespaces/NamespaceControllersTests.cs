using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Controllers.Namespaces;
using Mesh.Controllers.ServiceAccounts;
using Mesh.Controllers.Tests.Framework;
using Xunit;

namespace Mesh.Controllers.Tests.Namespaces;

public sealed class NamespaceControllersTests : ControllerTest
{
    [Fact]
    public async Task A_deleted_namespace_is_emptied_pods_first_and_then_gone()
    {
        Client.Seed(Namespace("ns"));
        Client.Seed(Make.Pod("p"));
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "m" } });
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "other", Name = "m" } });
        await Client.DeleteAsync<Namespace>(null, "ns");
        using var c = new NamespaceController(Context);
        await StartAsync(c);
        await SettleAsync(() => Client.Find<Pod>("ns", "p")?.Metadata.DeletionTimestamp is not null, "pod asked to go", c);
        await SettleAsync(() => Condition("NamespaceContentRemaining")?.Status == "True", "reported", c);
        Assert.Equal("Some resources are remaining: pods. has 1 resource instances", Condition("NamespaceContentRemaining")!.Message);
        Assert.NotNull(Client.Find<ConfigMap>("ns", "m"));

        await Client.DeleteAsync<Pod>("ns", "p", new() { GracePeriodSeconds = 0 });
        Time.Advance(TimeSpan.FromSeconds(2));
        await SettleAsync(() => Client.Find<Namespace>(null, "ns") is null, "namespace gone", c);
        Assert.Null(Client.Find<ConfigMap>("ns", "m"));
        Assert.NotNull(Client.Find<ConfigMap>("other", "m"));
    }

    [Fact]
    public async Task A_finalizer_holds_the_namespace_and_is_named()
    {
        Client.Seed(Namespace("ns"));
        Client.Seed(new ConfigMap { Metadata = new() { Namespace = "ns", Name = "m", Finalizers = ["example.com/hold"] } });
        await Client.DeleteAsync<Namespace>(null, "ns");
        using var c = new NamespaceController(Context);
        await StartAsync(c);
        await SettleAsync(() => Condition("NamespaceFinalizersRemaining")?.Status == "True", "reported", c);
        Assert.Equal("Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances", Condition("NamespaceFinalizersRemaining")!.Message);
        Assert.NotNull(Client.Find<Namespace>(null, "ns"));
    }

    [Fact]
    public void Every_stored_resource_is_listed_once()
    {
        var (pods, others) = NamespaceContents.Resources(ResourceTable.All);
        Assert.Equal("pods", pods.Plural);
        Assert.Equal(others.Count, others.Select(r => (r.Group, r.Plural)).Distinct().Count());
        Assert.Contains(others, r => r is { Group: "apps", Version: "v1", Plural: "deployments" });
        Assert.DoesNotContain(others, r => r is { Plural: "bindings" } or { Group: "events.k8s.io" });
    }

    [Fact]
    public async Task Every_namespace_has_the_default_account_and_the_root_ca()
    {
        Client.Seed(Namespace("ns"));
        using var accounts = new ServiceAccountController(Context);
        using var ca = new RootCaPublisher(Context, "PEM");
        await StartAsync(accounts, ca);
        await SettleAsync(() => Client.Find<ServiceAccount>("ns", "default") is not null && Client.Find<ConfigMap>("ns", RootCaPublisher.MapName)?.Data?["ca.crt"] == "PEM", "both", accounts, ca);

        await Client.DeleteAsync<ServiceAccount>("ns", "default");
        var map = Client.Find<ConfigMap>("ns", RootCaPublisher.MapName)!;
        map.Data!["ca.crt"] = "forged";
        await Client.UpdateAsync(map);
        await SettleAsync(() => Client.Find<ServiceAccount>("ns", "default") is not null && Client.Find<ConfigMap>("ns", RootCaPublisher.MapName)?.Data?["ca.crt"] == "PEM", "restored", accounts, ca);
    }

    private static Namespace Namespace(string name) => new() { Metadata = new() { Name = name }, Spec = new() { Finalizers = ["kubernetes"] }, Status = new() { Phase = "Active" } };

    private NamespaceCondition? Condition(string type) => Client.Find<Namespace>(null, "ns")?.Status?.Conditions?.Find(c => c.Type == type);
}
