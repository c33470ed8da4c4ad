namespace Mesh.Gateway.Storage;

/// <summary>
/// The recent events of a resource, by sequence number. At least <see cref="MinCapacity"/> are kept, more while they are young,
/// never more than the maximum. Not thread safe.
/// </summary>
internal sealed class EventRing(int maxCapacity, TimeSpan youth, TimeProvider time)
{
    /// <summary>Events kept whatever their age.</summary>
    public const int MinCapacity = 1024;

    private CacheEvent?[] slots = new CacheEvent?[64];

    /// <summary>Sequence number of the oldest event kept.</summary>
    public long First { get; private set; }

    /// <summary>Sequence number the next event will get.</summary>
    public long Next { get; private set; }

    /// <summary>The event of a sequence number between First and Next.</summary>
    public CacheEvent this[long sequence] => slots[sequence & (slots.Length - 1)]!;

    /// <summary>Adds an event; the oldest may go.</summary>
    public void Add(CacheEvent item)
    {
        if (Next - First >= maxCapacity || IsOld(item.Ticks)) Drop();
        if (Next - First == slots.Length) Grow();
        slots[Next & (slots.Length - 1)] = item;
        Next++;
    }

    /// <summary>Lets go of what has grown old.</summary>
    public void Trim(long now)
    {
        while (IsOld(now)) Drop();
    }

    private bool IsOld(long now) => Next - First >= MinCapacity && time.GetElapsedTime(this[First].Ticks, now) > youth;

    private void Drop()
    {
        slots[First & (slots.Length - 1)] = null;
        First++;
    }

    /// <summary>Sequence number of the first event after a revision (Next when there is none).</summary>
    public long After(long revision)
    {
        var (low, high) = (First, Next);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (this[middle].Revision > revision) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    private void Grow()
    {
        var larger = new CacheEvent?[slots.Length * 2];
        for (var s = First; s < Next; s++) larger[s & (larger.Length - 1)] = this[s];
        slots = larger;
    }
}
