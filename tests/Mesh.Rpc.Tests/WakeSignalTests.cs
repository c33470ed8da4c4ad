namespace Mesh.Rpc.Tests;

public class WakeSignalTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Wakings_before_the_wait_are_one()
    {
        var signal = new WakeSignal();
        signal.Set();
        signal.Set();
        Assert.True(signal.WaitAsync().AsTask().IsCompletedSuccessfully);
        var next = signal.WaitAsync().AsTask();
        Assert.False(next.IsCompleted);
        signal.Set();
        await next.WaitAsync(s_limit);
    }

    [Fact]
    public async Task The_waiter_goes_on_here_or_on_another_thread()
    {
        var signal = new WakeSignal();
        var thread = 0;
        async Task WaitAsync()
        {
            await signal.WaitAsync().ConfigureAwait(false);
            thread = Environment.CurrentManagedThreadId;
        }

        var waiting = WaitAsync();
        signal.Set(here: true);
        Assert.True(waiting.IsCompletedSuccessfully);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);

        waiting = WaitAsync();
        using var gate = new ManualResetEventSlim();
        var setter = new Thread(() =>
        {
            signal.Set();
            gate.Wait();
        });
        setter.Start();
        await waiting.WaitAsync(s_limit); // the thread that woke it is not free
        gate.Set();
        setter.Join();
        Assert.NotEqual(setter.ManagedThreadId, thread);
    }

    [Fact]
    public async Task No_waking_is_lost()
    {
        const int Wakers = 4, Each = 50_000;
        var signal = new WakeSignal();
        var made = 0;
        var waiter = Task.Run(async () =>
        {
            while (Volatile.Read(ref made) < Wakers * Each) await signal.WaitAsync();
        });
        var wakers = Enumerable.Range(0, Wakers).Select(w => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                Interlocked.Increment(ref made);
                signal.Set(here: i % 3 == w % 3);
            }
        }));
        await Task.WhenAll(wakers).WaitAsync(s_limit);
        await waiter.WaitAsync(s_limit);
    }
}
