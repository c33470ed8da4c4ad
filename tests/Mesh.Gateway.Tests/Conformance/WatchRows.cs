using System.Text.Json.Nodes;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Conformance;

/// <summary>[sig-api-machinery] Watchers.</summary>
[Collection("gateway")]
public sealed class WatchRows(GatewayHost api)
{
    private const string Key = "watch-this-configmap";

    [Fact, Conformance("watch-configmaps-with-multiple-watchers")]
    public async Task Every_watcher_sees_what_its_selector_selects()
    {
        var maps = await api.NamespaceAsync("watch") + "/configmaps";
        using var a = await api.WatchAsync($"{maps}?watch=1&labelSelector={Key}%3Da");
        using var b = await api.WatchAsync($"{maps}?watch=1&labelSelector={Key}%3Db");
        using var ab = await api.WatchAsync($"{maps}?watch=1&labelSelector={Key}%20in%20(a,b)");

        await MakeAsync(maps, "a");
        foreach (var watch in (WatchLines[])[a, ab]) Assert.Equal("a", (await watch.NextAsync("ADDED")).Name());
        foreach (var mutation in (string[])["1", "2"])
        {
            await MutateAsync(maps + "/a", mutation);
            foreach (var watch in (WatchLines[])[a, ab]) Assert.Equal(mutation, (string?)(await watch.NextAsync("MODIFIED"))["data"]!["mutation"]);
        }

        await api.DeleteAsync(maps + "/a");
        foreach (var watch in (WatchLines[])[a, ab]) Assert.Equal("a", (await watch.NextAsync("DELETED")).Name());

        // The watcher of b saw nothing of all that: b is its first event.
        await MakeAsync(maps, "b");
        foreach (var watch in (WatchLines[])[b, ab]) Assert.Equal("b", (await watch.NextAsync("ADDED")).Name());
        await api.DeleteAsync(maps + "/b");
        foreach (var watch in (WatchLines[])[b, ab]) Assert.Equal("b", (await watch.NextAsync("DELETED")).Name());
    }

    [Fact, Conformance("watch-configmaps-from-resource-version")]
    public async Task A_watch_from_a_revision_sees_what_came_after_it()
    {
        var maps = await api.NamespaceAsync("watch") + "/configmaps";
        await MakeAsync(maps, "from-resource-version");
        var first = await MutateAsync(maps + "/from-resource-version", "1");
        await MutateAsync(maps + "/from-resource-version", "2");
        await api.DeleteAsync(maps + "/from-resource-version");

        using var watch = await api.WatchAsync($"{maps}?watch=1&labelSelector={Key}%3Dfrom-resource-version&resourceVersion={first.Revision()}");
        Assert.Equal("2", (string?)(await watch.NextAsync("MODIFIED"))["data"]!["mutation"]);
        Assert.Equal("2", (string?)(await watch.NextAsync("DELETED"))["data"]!["mutation"]);
    }

    [Fact, Conformance("watch-configmaps-closed-and-restarted")]
    public async Task A_closed_watch_goes_on_where_it_ended()
    {
        var maps = await api.NamespaceAsync("watch") + "/configmaps";
        var path = $"{maps}?watch=1&labelSelector={Key}%3Dclosed";
        JsonNode last;
        using (var first = await api.WatchAsync(path))
        {
            await MakeAsync(maps, "closed");
            await MutateAsync(maps + "/closed", "1");
            await first.NextAsync("ADDED");
            last = await first.NextAsync("MODIFIED");
        }

        await MutateAsync(maps + "/closed", "2");
        await api.DeleteAsync(maps + "/closed");
        using var second = await api.WatchAsync($"{path}&resourceVersion={last.Revision()}");
        Assert.Equal("2", (string?)(await second.NextAsync("MODIFIED"))["data"]!["mutation"]);
        await second.NextAsync("DELETED");
    }

    [Fact, Conformance("watch-configmaps-label-changed")]
    public async Task Leaving_the_selection_is_a_deletion_and_coming_back_an_addition()
    {
        var maps = await api.NamespaceAsync("watch") + "/configmaps";
        using var watch = await api.WatchAsync($"{maps}?watch=1&labelSelector={Key}%3Dlabel-changed");
        await MakeAsync(maps, "label-changed");
        await MutateAsync(maps + "/label-changed", "1");
        await LabelAsync("wrong-value");
        await watch.NextAsync("ADDED");
        await watch.NextAsync("MODIFIED");
        Assert.Equal("label-changed", (await watch.NextAsync("DELETED")).Name());

        await MutateAsync(maps + "/label-changed", "2");
        await LabelAsync("label-changed");
        await MutateAsync(maps + "/label-changed", "3");
        await api.DeleteAsync(maps + "/label-changed");
        Assert.Equal("2", (string?)(await watch.NextAsync("ADDED"))["data"]!["mutation"]);
        Assert.Equal("3", (string?)(await watch.NextAsync("MODIFIED"))["data"]!["mutation"]);
        await watch.NextAsync("DELETED");

        Task LabelAsync(string value) => api.PatchAsync(maps + "/label-changed", $$$$"""{"metadata":{"labels":{"{{{{Key}}}}":"{{{{value}}}}"}}}""");
    }

    [Fact, Conformance("watch-consistency")]
    public async Task Concurrent_watches_see_the_same_order()
    {
        const int Changes = 60;
        var maps = await api.NamespaceAsync("watch") + "/configmaps";
        var (random, living, next) = (new Random(15), new List<string>(), 0);
        using var first = await api.WatchAsync($"{maps}?watch=1&resourceVersion={(await api.ReadAsync(maps)).Revision()}");
        var producer = Task.Run(async () =>
        {
            for (var i = 0; i < Changes; i++)
            {
                var what = living.Count == 0 ? 0 : random.Next(3);
                if (what == 0)
                {
                    living.Add("m" + next++);
                    await MakeAsync(maps, living[^1]);
                }
                else if (what == 1)
                {
                    await MutateAsync($"{maps}/{living[random.Next(living.Count)]}", i.ToString());
                }
                else
                {
                    var at = random.Next(living.Count);
                    await api.DeleteAsync($"{maps}/{living[at]}");
                    living.RemoveAt(at);
                }
            }
        });

        // At every event of the first watch another watch begins, from where the first one is.
        var seen = new List<string>();
        var others = new List<(int From, WatchLines Watch)>();
        while (seen.Count < Changes)
        {
            seen.Add((await first.NextAsync()).Object.Revision());
            others.Add((seen.Count, await api.WatchAsync($"{maps}?watch=1&resourceVersion={seen[^1]}")));
        }

        await producer;
        foreach (var (from, watch) in others)
        {
            for (var i = from; i < Changes; i++) Assert.Equal(seen[i], (await watch.NextAsync()).Object.Revision());
            watch.Dispose();
        }
    }

    private Task<JsonObject> MakeAsync(string maps, string name) =>
        api.MakeAsync(maps, $$$$"""{"metadata":{"name":"{{{{name}}}}","labels":{"{{{{Key}}}}":"{{{{name}}}}"}}}""");

    private Task<JsonObject> MutateAsync(string path, string mutation) => api.UpdateAsync(path, o => o["data"] = new JsonObject { ["mutation"] = mutation });
}
