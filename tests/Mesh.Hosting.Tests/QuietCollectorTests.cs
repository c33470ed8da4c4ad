namespace Mesh.Hosting.Tests;

public class QuietCollectorTests
{
    /// <summary>After much was allocated and collected, and a quiet time, memory is given back; without collections no timer runs.</summary>
    [Fact]
    public void Collects_once_it_is_quiet()
    {
        var clock = new ManualClock();
        var collected = 0;
        using var collector = new QuietCollector(clock, () => Interlocked.Increment(ref collected));
        Assert.Equal(0, clock.Fired);
        var deadline = DateTime.UtcNow.AddSeconds(60);
        while (collected == 0 && DateTime.UtcNow < deadline)
        {
            for (var i = 0; i < 100; i++) GC.KeepAlive(new byte[1 << 20]);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            clock.FireIfArmed();
        }

        Assert.True(collected > 0);
    }

    /// <summary>One timer, fired by hand.</summary>
    private sealed class ManualClock : TimeProvider, ITimer
    {
        private TimerCallback? _callback;
        private object? _state;
        private volatile bool _armed;

        public int Fired { get; private set; }

        public void FireIfArmed()
        {
            if (!_armed) return;
            _armed = false;
            Fired++;
            _callback!(_state);
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, _state) = (callback, state);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _armed = dueTime != Timeout.InfiniteTimeSpan;
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
