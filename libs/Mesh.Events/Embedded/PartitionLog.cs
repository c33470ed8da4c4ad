namespace Mesh.Events;

/// <summary>The events of one partition: a ring that grows up to its bound and then drops the oldest. Guarded by the bus lock.</summary>
internal sealed class PartitionLog(int capacity)
{
    private (string Key, byte[] Value)[] _ring = new (string, byte[])[Math.Min(capacity, 16)];

    /// <summary>Offset of the oldest event kept.</summary>
    public long First { get; private set; }

    /// <summary>Offset the next event will get.</summary>
    public long Next { get; private set; }

    public long Append(string key, byte[] value)
    {
        if (Next - First == _ring.Length)
        {
            if (_ring.Length < capacity) Grow();
            else First++;
        }
        _ring[Next % _ring.Length] = (key, value);
        return Next++;
    }

    public (string Key, byte[] Value) this[long offset] => _ring[offset % _ring.Length];

    private void Grow()
    {
        var larger = new (string, byte[])[Math.Min(capacity, _ring.Length * 4)];
        for (var offset = First; offset < Next; offset++) larger[offset % larger.Length] = _ring[offset % _ring.Length];
        _ring = larger;
    }
}
