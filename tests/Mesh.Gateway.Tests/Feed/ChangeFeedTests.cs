using System.Text.Json.Nodes;
using Mesh.Events;

namespace Mesh.Gateway.Tests.Feed;

/// <summary>What anyone who reads the bus sees of the API.</summary>
[Collection("gateway")]
public class ChangeFeedTests(GatewayHost host)
{
    [Fact]
    public async Task Every_change_of_an_object_is_published_in_order_with_its_revision()
    {
        await using var consumer = await SubscribeAsync("in-order");
        const string maps = "/api/v1/namespaces/default/configmaps";
        var (_, created) = await host.PostAsync(maps, """{"metadata":{"name":"fed"},"data":{"a":"1"}}""");
        var (_, patched) = await host.SendAsync(HttpMethod.Patch, maps + "/fed", """{"data":{"a":"2"}}""", "application/merge-patch+json");
        await host.SendAsync(HttpMethod.Delete, maps + "/fed");

        var events = await ReadAsync(consumer, "configmaps/default/fed", 3);
        Assert.Equal(["ADDED", "MODIFIED", "DELETED"], events.Select(e => (string?)e["type"]));
        Assert.Equal([Revision(created), Revision(patched)], events.Take(2).Select(e => (string?)e["resourceVersion"]));
        Assert.All(events, e => Assert.Equal("|configmaps|default|fed", $"{e["group"]}|{e["resource"]}|{e["namespace"]}|{e["name"]}"));
    }

    [Fact]
    public async Task Grouped_and_cluster_scoped_objects_say_what_they_are()
    {
        await using var consumer = await SubscribeAsync("scopes");
        await host.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"fed-role"},"rules":[]}""");
        var role = (await ReadAsync(consumer, "rbac.authorization.k8s.io/clusterroles/fed-role", 1))[0];
        Assert.Equal("rbac.authorization.k8s.io|clusterroles||fed-role", $"{role["group"]}|{role["resource"]}|{role["namespace"]}|{role["name"]}");
    }

    private async Task<IEventConsumer> SubscribeAsync(string group)
    {
        await host.Bus.EnsureTopicAsync("mesh.changes", 16);
        return await host.Bus.SubscribeAsync(new EventSubscription { Group = group, Topics = ["mesh.changes"], Start = EventStart.Latest });
    }

    private static async Task<List<JsonObject>> ReadAsync(IEventConsumer consumer, string key, int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var found = new List<JsonObject>();
        while (found.Count < count)
        {
            foreach (var record in await consumer.ReadAsync(100, limit.Token))
            {
                if (record.Key == key) found.Add(JsonNode.Parse(record.Value.Span)!.AsObject());
            }
        }

        return found;
    }

    private static string? Revision(JsonObject obj) => (string?)obj["metadata"]!["resourceVersion"];
}
