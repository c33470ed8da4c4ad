using System.Diagnostics;

namespace Mesh.NodeAgent.Tests.Support;

/// <summary>Polls for truth with a deadline; a failure says what was last seen.</summary>
internal static class Eventually
{
    public static async Task<TimeSpan> TrueAsync(Func<bool> condition, TimeSpan limit, Func<string>? state = null)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > limit)
                Assert.Fail($"not true within {limit.TotalSeconds} s; last seen: {state?.Invoke() ?? "-"}");
            await Task.Delay(50);
        }

        return clock.Elapsed;
    }
}
