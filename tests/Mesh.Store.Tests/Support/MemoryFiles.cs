using Mesh.Store.Files;

namespace Mesh.Store.Tests.Support;

/// <summary>A disk in memory that knows what was synced: <see cref="Crash"/> forgets the rest. Syncs, writes and allocations can be made to fail.</summary>
internal sealed class MemoryFiles : IStoreFiles
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Node> _files = [];

    public bool FailSync { get; set; }

    public bool Full { get; set; }

    public Action? BeforeSync { get; set; }

    public void CreateDirectory(string path)
    {
    }

    public IReadOnlyList<string> List(string directory)
    {
        lock (_lock) return [.. _files.Keys.Where(p => Path.GetDirectoryName(p) == directory).Order(StringComparer.Ordinal)];
    }

    public IStoreFile Open(string path, bool create)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(path, out var node))
            {
                if (!create) throw new FileNotFoundException(path);
                _files.Add(path, node = new Node());
            }

            return new Handle(this, node);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            _files[to] = _files[from];
            _files.Remove(from);
        }
    }

    public void Delete(string path)
    {
        lock (_lock) _files.Remove(path);
    }

    public void SyncDirectory(string path)
    {
    }

    /// <summary>What a restart finds: everything synced, and of what was not, each 512-byte sector by the toss of a coin.</summary>
    public MemoryFiles Crash(Random random)
    {
        var after = new MemoryFiles();
        lock (_lock)
        {
            foreach (var (path, node) in _files)
            {
                var content = (byte[])node.Durable.Clone();
                var now = node.Now;
                if (now.Length > content.Length) Array.Resize(ref content, now.Length);
                for (var at = 0; at < now.Length; at += 512)
                {
                    if (random.Next(2) == 0) continue;
                    now.AsSpan(at, Math.Min(512, now.Length - at)).CopyTo(content.AsSpan(at));
                }

                after._files[path] = new Node { Now = (byte[])content.Clone(), Durable = content };
            }
        }

        return after;
    }

    public byte[] Content(string path)
    {
        lock (_lock) return (byte[])_files[path].Now.Clone();
    }

    public void SetContent(string path, byte[] bytes)
    {
        lock (_lock) _files[path] = new Node { Now = (byte[])bytes.Clone(), Durable = (byte[])bytes.Clone() };
    }

    public MemoryFiles Copy()
    {
        var copy = new MemoryFiles();
        lock (_lock)
        {
            foreach (var (path, node) in _files) copy._files[path] = new Node { Now = (byte[])node.Now.Clone(), Durable = (byte[])node.Durable.Clone() };
        }

        return copy;
    }

    private sealed class Node
    {
        public byte[] Now = [];
        public byte[] Durable = [];
    }

    private sealed class Handle(MemoryFiles disk, Node node) : IStoreFile
    {
        public long Length
        {
            get { lock (disk._lock) return node.Now.Length; }
        }

        public int Read(Span<byte> buffer, long offset)
        {
            lock (disk._lock)
            {
                var count = (int)Math.Max(0, Math.Min(buffer.Length, node.Now.Length - offset));
                node.Now.AsSpan((int)Math.Min(offset, node.Now.Length), count).CopyTo(buffer);
                return count;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            lock (disk._lock)
            {
                if (offset + bytes.Length > node.Now.Length)
                {
                    if (disk.Full) throw new DiskFullException("full");
                    Array.Resize(ref node.Now, (int)offset + bytes.Length);
                }

                bytes.CopyTo(node.Now.AsSpan((int)offset));
            }
        }

        public void Allocate(long length)
        {
            if (disk.Full) throw new DiskFullException("full");
            SetLength(Math.Max(length, Length));
        }

        public void SetLength(long length)
        {
            lock (disk._lock) Array.Resize(ref node.Now, (int)length);
        }

        public void Sync()
        {
            disk.BeforeSync?.Invoke();
            if (disk.FailSync) throw new IOException("injected fdatasync failure");
            lock (disk._lock) node.Durable = (byte[])node.Now.Clone();
        }

        public void Dispose()
        {
        }
    }
}
