using System.Runtime.InteropServices;

namespace Mesh.Hosting;

/// <summary>
/// Gives memory back after a burst. The garbage collector keeps what it once needed, in case it comes again: here, ten seconds after the last collection, what is
/// free goes back to the system. There is no clock that wakes for nothing: a timer runs only after a collection, and an idle process has none.
/// </summary>
internal sealed partial class QuietCollector : IDisposable
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(10);

    /// <summary>A collection must be worth its pause: much was allocated since the last, or a little and much is held without use.</summary>
    private const long MuchAllocated = 64 << 20;
    private const long LittleAllocated = 16 << 20;
    private const long MuchHeld = 24 << 20;

    /// <summary>Larger heaps are not stopped to be moved together: that takes a second for each gigabyte.</summary>
    private const long MaxHeap = 1L << 30;

    private readonly ITimer _timer;
    private readonly Action _collect;
    private long _allocated;
    private int _own = -1;
    private volatile bool _disposed;

    public QuietCollector(TimeProvider time, Action? collect = null)
    {
        _collect = collect ?? Collect;
        _timer = time.CreateTimer(static state => ((QuietCollector)state!).OnQuiet(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _ = new Sentinel(this);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
    }

    private void OnCollected()
    {
        if (GC.CollectionCount(0) != Volatile.Read(ref _own)) _timer.Change(s_quiet, Timeout.InfiniteTimeSpan);
    }

    private void OnQuiet()
    {
        if (_disposed) return;
        var last = GC.GetGCMemoryInfo(GCKind.Any);
        var allocated = GC.GetTotalAllocatedBytes();
        var since = allocated - _allocated;
        var used = last.HeapSizeBytes - last.FragmentedBytes;
        if (used > MaxHeap || since < LittleAllocated || (since < MuchAllocated && last.TotalCommittedBytes - used < MuchHeld)) return;
        _allocated = allocated;
        _collect();
        Volatile.Write(ref _own, GC.CollectionCount(0));
    }

    private static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            // TLS and the runtime take theirs from malloc.
            _ = TrimNative(0);
        }
        catch (EntryPointNotFoundException)
        {
            // not glibc
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimNative(nuint keep);

    /// <summary>Garbage from its first moment: its finalizer runs after each collection of the youngest generation, and leaves the next one.</summary>
    private sealed class Sentinel(QuietCollector owner)
    {
        ~Sentinel()
        {
            if (owner._disposed) return;
            owner.OnCollected();
            _ = new Sentinel(owner);
        }
    }
}
