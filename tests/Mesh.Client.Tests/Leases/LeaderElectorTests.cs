using Mesh.Api.Coordination.V1;
using Mesh.Client.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Mesh.Client.Tests.Leases;

public sealed class LeaderElectorTests
{
    private readonly ManualTime _time = new();
    private readonly FakeKubeClient _client = new();

    [Fact]
    public async Task The_first_leads_the_second_waits_and_takes_over_when_the_first_ends()
    {
        using var stopA = new CancellationTokenSource();
        using var stopB = new CancellationTokenSource();
        var (a, leadsA, doneA) = Start("a", stopA.Token);
        await Eventually.TrueAsync(() => leadsA.Task.IsCompleted, "a leads");
        var (b, leadsB, doneB) = Start("b", stopB.Token);
        await TickAsync(10);
        Assert.True(a.IsLeader);
        Assert.False(b.IsLeader);

        await stopA.CancelAsync();
        await doneA;
        await Eventually.TrueAsync(() => Step() && leadsB.Task.IsCompleted, "b leads");
        var lease = _client.Find<Lease>("kube-system", "lock")!;
        Assert.Equal(("b", 15), (lease.Spec!.HolderIdentity, lease.Spec.LeaseDurationSeconds));
        await stopB.CancelAsync();
        await doneB;
    }

    [Fact]
    public async Task A_dead_leader_is_replaced_when_its_lease_runs_out()
    {
        _client.Seed(new Lease
        {
            Metadata = new() { Namespace = "kube-system", Name = "lock" },
            Spec = new() { HolderIdentity = "dead", LeaseDurationSeconds = 15, AcquireTime = _time.Now, RenewTime = _time.Now, LeaseTransitions = 3 },
        });
        using var stop = new CancellationTokenSource();
        var begun = _time.Now;
        var (_, leads, done) = Start("b", stop.Token);
        await Eventually.TrueAsync(() => Step() && leads.Task.IsCompleted, "b leads");
        Assert.True((_time.Now - begun).TotalSeconds >= 15, $"took over after {_time.Now - begun}");
        Assert.Equal(4, _client.Find<Lease>("kube-system", "lock")!.Spec!.LeaseTransitions);
        await stop.CancelAsync();
        await done;
    }

    [Fact]
    public async Task A_leader_that_cannot_renew_stops_its_work()
    {
        using var stop = new CancellationTokenSource();
        var (elector, leads, done) = Start("a", stop.Token);
        await Eventually.TrueAsync(() => leads.Task.IsCompleted, "a leads");
        _client.Refuse = _ => Mesh.Api.Statuses.ServiceUnavailable("down");
        await Eventually.TrueAsync(() => Step() && !elector.IsLeader, "a stopped");
        await stop.CancelAsync();
        await done;
    }

    private (LeaderElector, TaskCompletionSource, Task) Start(string identity, CancellationToken ct)
    {
        var leads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var elector = new LeaderElector(
            new LeaseLock(_client, "kube-system", "lock", identity), LeaderElectionTimings.Default, NullLogger.Instance, _time, new Random(1));
        var done = elector.RunAsync(
            async token =>
            {
                leads.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            },
            ct);
        return (elector, leads, done);
    }

    /// <summary>Half a second of the clock; the poll around it gives the electors the processor.</summary>
    private bool Step()
    {
        _time.Advance(TimeSpan.FromMilliseconds(500));
        return true;
    }

    private async Task TickAsync(int seconds)
    {
        for (var i = 0; i < seconds * 2; i++)
        {
            Step();
            await Task.Delay(2);
        }
    }
}
