namespace Mesh.Client;

/// <summary>Growing waits with jitter, so that many clients that lost the same server do not come back in step.</summary>
internal sealed class Backoff
{
    private readonly TimeSpan _first;
    private readonly TimeSpan _max;
    private readonly Random _random;
    private TimeSpan _next;

    internal Backoff(TimeSpan first, TimeSpan max, Random random) => (_first, _max, _random, _next) = (first, max, random, first);

    /// <summary>The next wait: between one and two times the step, which doubles up to the maximum.</summary>
    internal TimeSpan Next()
    {
        var step = _next;
        _next = step * 2 > _max ? _max : step * 2;
        return step * (1 + _random.NextDouble());
    }

    /// <summary>Things went well: start short again.</summary>
    internal void Reset() => _next = _first;
}
