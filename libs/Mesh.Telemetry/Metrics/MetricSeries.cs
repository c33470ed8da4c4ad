namespace Mesh.Telemetry;

/// <summary>The value of one series; every operation is lock-free. A sum is kept as a whole part and a fraction part so that counting events is one add.</summary>
internal sealed class MetricSeries(string labels, int bounds)
{
    private readonly long[] _buckets = bounds > 0 ? new long[bounds + 1] : [];
    private long _whole;
    private double _real;

    /// <summary>The labels as they are written: <c>a="b",c="d"</c>.</summary>
    public string Labels => labels;

    public double Value => Interlocked.Read(ref _whole) + Volatile.Read(ref _real);

    public void Add(long value) => Interlocked.Add(ref _whole, value);

    public void Add(double value)
    {
        var seen = Volatile.Read(ref _real);
        while (true)
        {
            var was = Interlocked.CompareExchange(ref _real, seen + value, seen);
            if (BitConverter.DoubleToInt64Bits(was) == BitConverter.DoubleToInt64Bits(seen)) return;
            seen = was;
        }
    }

    public void Set(long value) => Interlocked.Exchange(ref _whole, value);

    public void Set(double value) => Interlocked.Exchange(ref _real, value);

    public void Observe(double value, double[] bounds)
    {
        // The first bound that is not less than the value: buckets are upper inclusive.
        var low = 0;
        var high = bounds.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (bounds[middle] < value) low = middle + 1;
            else high = middle;
        }
        Interlocked.Increment(ref _buckets[low]);
        Add(value);
    }

    /// <summary>The bucket counts, each alone (not cumulative); the last is what is above all bounds.</summary>
    public long Bucket(int index) => Interlocked.Read(ref _buckets[index]);
}
