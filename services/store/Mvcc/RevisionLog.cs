namespace Mesh.Store.Mvcc;

/// <summary>
/// Every uncompacted write in order of (main, sub): what watches catch up from and what compaction walks. Chunks of references under
/// one short lock: readers copy references out and leave.
/// </summary>
internal sealed class RevisionLog
{
    private const int ChunkSize = 1024;
    private readonly Lock _lock = new();
    private KeyVersion[][] _chunks = [];
    private int _used;           // chunks in use, from the start of _chunks
    private long _trimmedChunks;
    private long _first;   // absolute position of the oldest kept version
    private long _count;   // absolute position after the newest

    /// <summary>Number of versions kept.</summary>
    public long Count
    {
        get { lock (_lock) return _count - _first; }
    }

    /// <summary>Appends versions already in order. The caller publishes the revision afterwards.</summary>
    public void Append(List<KeyVersion> versions)
    {
        lock (_lock)
        {
            foreach (var version in versions)
            {
                var chunk = (int)(_count / ChunkSize - _trimmedChunks);
                if (chunk == _used) Grow();
                _chunks[chunk][_count % ChunkSize] = version;
                _count++;
            }
        }
    }

    /// <summary>Copies versions with main revision in [from, to] into the list, at most <paramref name="limit"/> but never splitting a revision; returns the next revision to read.</summary>
    public long Read(long from, long to, int limit, List<KeyVersion> into)
    {
        lock (_lock)
        {
            var at = LowerBound(from);
            var taken = 0;
            for (; at < _count; at++)
            {
                var version = Get(at);
                if (version.ModRevision > to) break;
                if (taken >= limit && version.ModRevision != into[^1].ModRevision) return version.ModRevision;
                into.Add(version);
                taken++;
            }

            return to + 1;
        }
    }

    /// <summary>The oldest kept version with main revision below the bound, or null: what compaction takes next. Writer only.</summary>
    public KeyVersion? OldestBelow(long revision)
    {
        lock (_lock) return _first < _count && Get(_first) is var v && v.ModRevision < revision ? v : null;
    }

    /// <summary>Drops the oldest version. Writer only.</summary>
    public void DropOldest()
    {
        lock (_lock)
        {
            var chunk = (int)(_first / ChunkSize - _trimmedChunks);
            _chunks[chunk][_first % ChunkSize] = null!;
            _first++;
            // Chunks go in bulk so that trimming a long log is not quadratic.
            var dead = (int)(_first / ChunkSize - _trimmedChunks);
            if (dead >= 8 && dead * 2 >= _used || _first == _count && dead > 0)
            {
                _chunks = _chunks[dead.._used];
                _used -= dead;
                _trimmedChunks += dead;
            }
        }
    }

    private void Grow()
    {
        if (_used == _chunks.Length) Array.Resize(ref _chunks, Math.Max(4, _chunks.Length * 2));
        _chunks[_used++] = new KeyVersion[ChunkSize];
    }

    private long LowerBound(long revision)
    {
        long low = _first, high = _count;
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (Get(middle).ModRevision < revision) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private KeyVersion Get(long position) => _chunks[position / ChunkSize - _trimmedChunks][position % ChunkSize];
}
