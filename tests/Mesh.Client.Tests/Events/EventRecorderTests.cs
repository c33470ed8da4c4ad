using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests.Events;

public sealed class EventRecorderTests
{
    private static readonly Pod About = new() { Metadata = new ObjectMeta { Namespace = "ns", Name = "p", Uid = "u" } };
    private readonly ManualTime _time = new();
    private readonly FakeKubeClient _client = new();

    [Fact]
    public async Task An_event_says_who_what_and_when()
    {
        await RecordAsync(("Created", "hello"));
        var e = Assert.Single(_client.All<Event>());
        Assert.StartsWith("p.", e.Metadata.Name, StringComparison.Ordinal);
        Assert.Equal(("ns", "Pod", "u"), (e.Metadata.Namespace, e.InvolvedObject!.Kind, e.InvolvedObject.Uid));
        Assert.Equal(("Normal", "Created", "hello", 1), (e.Type, e.Reason, e.Message, e.Count));
        Assert.Equal("tester", e.Source!.Component);
        Assert.Equal(_time.Now, e.FirstTimestamp);
    }

    [Fact]
    public async Task The_same_event_again_counts_up()
    {
        await RecordAsync(("BackOff", "again"), ("BackOff", "again"), ("BackOff", "again"));
        Assert.Equal(3, Assert.Single(_client.All<Event>()).Count);
    }

    [Fact]
    public async Task Many_that_differ_only_in_words_become_one()
    {
        await RecordAsync([.. Enumerable.Range(0, 20).Select(i => ("Failed", "try " + i))]);
        var events = _client.All<Event>();
        Assert.Equal(11, events.Count);
        var combined = Assert.Single(events, e => e.Message!.StartsWith("(combined from similar events): ", StringComparison.Ordinal));
        Assert.Equal(10, combined.Count);
    }

    [Fact]
    public async Task One_object_cannot_flood()
    {
        await RecordAsync([.. Enumerable.Range(0, 60).Select(i => ("Reason" + i, "x"))]);
        Assert.Equal(25, _client.All<Event>().Count);
    }

    [Fact]
    public async Task Refusals_are_swallowed()
    {
        _client.Refuse = a => Mesh.Api.Statuses.Forbidden("", a.Resource, a.Name, "no");
        await RecordAsync(("Created", "hello"));
        Assert.Empty(_client.All<Event>());
    }

    private async Task RecordAsync(params (string Reason, string Message)[] events)
    {
        await using var recorder = new EventRecorder(_client, "tester", NullLogger.Instance, _time);
        foreach (var (reason, message) in events) recorder.Normal(About, reason, message);
    }
}
