using Mesh.Packing;

namespace Mesh.Store.Mvcc;

/// <summary>
/// Packs values that are no longer new: the values of keys with a like beginning (the objects of a kind) differ little, and packed against what they have in common take a
/// fifth or less. The newest stay as they came, for whoever watches and reads back. Works on pool threads, behind the writer: only one that leaves it far behind
/// helps.
/// </summary>
internal sealed class ValuePacker
{
    /// <summary>Bytes of new values that stay as they are.</summary>
    private const long Window = 4 << 20;

    /// <summary>Bytes of values at which the packing begins.</summary>
    private const long Full = 8 << 20;

    /// <summary>Bytes of values above which the writer packs, too.</summary>
    private const long Behind = 64 << 20;

    /// <summary>Smaller values are not worth it.</summary>
    private const int MinLength = 256;

    private readonly Lock _lock = new();
    private readonly Queue<KeyVersion> _new = new();
    private readonly PackFamily?[] _families = new PackFamily?[128];
    private long _bytes;
    private bool _working;

    /// <summary>Takes versions in, in the order they were written. Applier only.</summary>
    public void Add(List<KeyVersion> versions)
    {
        lock (_lock)
        {
            foreach (var version in versions) Take(version);
        }

        Begin();
    }

    /// <summary>Takes a version in. Before the first publish only.</summary>
    public void Add(KeyVersion version)
    {
        lock (_lock) Take(version);

        Begin();
    }

    private void Take(KeyVersion version)
    {
        if (version.ValueLength < MinLength) return;
        _new.Enqueue(version);
        _bytes += version.ValueLength;
    }

    private void Begin()
    {
        bool begin, help;
        lock (_lock)
        {
            help = _bytes > Behind;
            begin = !help && !_working && _bytes > Full;
            _working |= begin;
        }

        while (help && PackOldest(Full)) { }
        if (begin) ThreadPool.UnsafeQueueUserWorkItem(static packer => packer.Work(), this, preferLocal: false);
    }

    private void Work()
    {
        while (true)
        {
            while (PackOldest(Window)) { }
            lock (_lock)
            {
                if (_bytes > Window) continue;
                _working = false;
                return;
            }
        }
    }

    /// <summary>Packs the oldest of the new values; false when there are not more than may stay.</summary>
    private bool PackOldest(long stay)
    {
        KeyVersion version;
        lock (_lock)
        {
            if (_bytes <= stay || !_new.TryDequeue(out version!)) return false;
            _bytes -= version.ValueLength;
        }

        version.Pack(Family(version.Entry.Key));
        return true;
    }

    /// <summary>The family of a key: by its first two parts (/registry/pods), or what there is of them.</summary>
    private PackFamily Family(ReadOnlySpan<byte> key)
    {
        var length = 0;
        for (var slashes = 0; length < key.Length; length++)
        {
            if (key[length] == (byte)'/' && ++slashes == 3) break;
        }

        // Without parts keys have nothing that tells kinds apart.
        if (length == key.Length) length = 0;
        ref var family = ref _families[Crc32C(key[..length]) % (uint)_families.Length];
        return Volatile.Read(ref family) ?? Interlocked.CompareExchange(ref family, new PackFamily(), null) ?? family!;

        static uint Crc32C(ReadOnlySpan<byte> bytes) => Wal.Crc32C.Compute(bytes);
    }
}
