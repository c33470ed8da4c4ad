namespace Mesh.Client;

/// <summary>Growing waits with jitter, so that many clients that lost the same server do not come back in step.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan max, Random random)
{
    private TimeSpan _next = first;

    /// <summary>The next wait: between one and two times the step, which doubles up to the maximum.</summary>
    internal TimeSpan Next()
    {
        var step = _next;
        _next = step * 2 > max ? max : step * 2;
        return step * (1 + random.NextDouble());
    }

    /// <summary>Things went well: start short again.</summary>
    internal void Reset() => _next = first;
}
