using Mesh.Client;
using Mesh.Client.Testing;
using Mesh.Controllers.Framework;
using Mesh.Events;
using Xunit;

namespace Mesh.Controllers.Tests.Framework;

public sealed class BusOwnershipTests
{
    private static readonly ObjectKey[] Keys = [.. Enumerable.Range(0, 200).Select(i => new ObjectKey("ns" + i, "x"))];

    [Fact]
    public async Task Every_key_has_one_owner_and_a_leaver_s_keys_go_to_the_others()
    {
        await using var bus = new EmbeddedEventBus();
        using var stop = new CancellationTokenSource();
        var a = await BusOwnership.JoinAsync(bus, "controllers", 16);
        var looks = 0;
        a.Changed += () => Interlocked.Increment(ref looks);
        var runA = a.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => Keys.All(a.Owns), "alone: owns all");

        await using var b = await BusOwnership.JoinAsync(bus, "controllers", 16);
        var runB = b.RunAsync(stop.Token);
        await Eventually.TrueAsync(() => Keys.Any(a.Owns) && Keys.Any(b.Owns) && Keys.All(k => a.Owns(k) != b.Owns(k)), "shared, none double");
        Assert.All(Keys, k => Assert.Equal(a.Owns(k), a.Owns(k with { Name = "y" })));

        await a.DisposeAsync();
        await Eventually.TrueAsync(() => Keys.All(b.Owns), "the other took over");
        await stop.CancelAsync();
        await runB;
        await Task.WhenAny(runA, Task.Delay(TimeSpan.FromSeconds(20)));
        Assert.True(runA.IsCompleted); // reading ends with the membership, by whatever outcome
    }
}
