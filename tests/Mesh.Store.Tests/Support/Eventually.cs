namespace Mesh.Store.Tests.Support;

internal static class Eventually
{
    /// <summary>Polls until the condition holds; fails with the text after the deadline.</summary>
    public static async Task True(Func<bool> condition, string what, int seconds = 20)
    {
        for (var left = seconds * 100; left > 0; left--)
        {
            if (condition()) return;
            await Task.Delay(10);
        }

        Assert.Fail("not within " + seconds + " s: " + what);
    }
}
