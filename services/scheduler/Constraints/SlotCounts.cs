namespace Mesh.Scheduler.Constraints;

/// <summary>Numbers of pods by slot; grows as slots come.</summary>
internal sealed class SlotCounts
{
    private int[] _counts = [];

    /// <summary>The number at a slot.</summary>
    public int this[int slot] => (uint)slot < (uint)_counts.Length ? _counts[slot] : 0;

    /// <summary>A pod came (1) or left (-1).</summary>
    public void Add(int slot, int sign)
    {
        if (slot >= _counts.Length) Array.Resize(ref _counts, Math.Max(slot + 1, _counts.Length * 2));
        _counts[slot] += sign;
    }
}
