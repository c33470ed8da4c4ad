using Mesh.Store.Files;

namespace Mesh.Store.Tests.Support;

/// <summary>
/// A disk in memory that knows what was synced: <see cref="Crash"/> forgets the rest, of files sector by sector, of directories the last creations,
/// renames and removals. Syncs, writes and allocations can be made to fail.
/// </summary>
internal sealed class MemoryFiles : IStoreFiles
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Node> _files = [];
    private readonly Dictionary<string, Node> _durableNames = [];
    private readonly List<Action<Dictionary<string, Node>>> _names = []; // changes of directories since they were synced, in order

    public bool FailSync { get; set; }

    public bool Full { get; set; }

    public Action? BeforeSync { get; set; }

    /// <summary>Called before and after each change of the disk, with its name: "append before", "rename after".</summary>
    public Action<string>? OnStep { get; set; }

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
                var made = new Node();
                node = made;
                Change("create", names => names[path] = made);
            }

            return new Handle(this, path, node);
        }
    }

    public IStoreFile Create(string path, long length)
    {
        var file = Open(path, create: true);
        try
        {
            file.SetLength(0);
            file.Allocate(length);
            return file;
        }
        catch (DiskFullException)
        {
            Delete(path);
            throw;
        }
    }

    public void Prepare(string directory, long length)
    {
        // A disk in memory has nothing to prepare.
    }

    public void Abandon(string directory)
    {
        // Nothing was prepared.
    }

    public IDisposable Lock(string directory) => new MemoryStream();

    public void Rename(string from, string to)
    {
        lock (_lock)
        {
            var node = _files[from];
            Change("rename", names =>
            {
                names.Remove(from);
                names[to] = node;
            });
        }
    }

    public void Delete(string path)
    {
        lock (_lock) Change("delete", names => names.Remove(path));
    }

    public void SyncDirectory(string path)
    {
        lock (_lock)
        {
            Step("sync directory", () =>
            {
                foreach (var change in _names) change(_durableNames);
                _names.Clear();
            });
        }
    }

    /// <summary>What a restart finds: everything synced; of the directories' later changes as many as a toss says, in order; of the files' each 512-byte sector by the toss of a coin.</summary>
    public MemoryFiles Crash(Random random)
    {
        var after = new MemoryFiles();
        lock (_lock)
        {
            var names = new Dictionary<string, Node>(_durableNames);
            foreach (var change in _names.Take(random.Next(_names.Count + 1))) change(names);
            foreach (var (path, node) in names)
            {
                var content = (byte[])node.Durable.Clone();
                var now = node.Now;
                if (now.Length > content.Length) Array.Resize(ref content, now.Length);
                for (var at = 0; at < now.Length; at += 512)
                {
                    if (random.Next(2) == 0) continue;
                    now.AsSpan(at, Math.Min(512, now.Length - at)).CopyTo(content.AsSpan(at));
                }

                after.Put(path, content);
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
        lock (_lock) Put(path, (byte[])bytes.Clone());
    }

    public MemoryFiles Copy()
    {
        var copy = new MemoryFiles();
        lock (_lock)
        {
            foreach (var (path, node) in _files) copy.Put(path, (byte[])node.Now.Clone());
        }

        return copy;
    }

    private void Put(string path, byte[] content) =>
        _files[path] = _durableNames[path] = new Node { Now = content, Durable = (byte[])content.Clone() };

    private void Change(string step, Action<Dictionary<string, Node>> change) => Step(step, () =>
    {
        change(_files);
        _names.Add(change);
    });

    private void Step(string name, Action work)
    {
        OnStep?.Invoke(name + " before");
        work();
        OnStep?.Invoke(name + " after");
    }

    private sealed class Node
    {
        public byte[] Now = [];
        public byte[] Durable = [];
    }

    private sealed class Handle(MemoryFiles disk, string path, Node node) : IStoreFile
    {
        private string Kind => Path.GetExtension(path) == ".log" ? "log" : "snapshot";

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

                var copy = bytes.ToArray();
                disk.Step(Kind + " write", () => copy.CopyTo(node.Now.AsSpan((int)offset)));
            }
        }

        public void WriteDurably(ReadOnlySpan<byte> bytes, long offset)
        {
            Write(bytes, offset);
            Sync();
        }

        public void Allocate(long length)
        {
            if (disk.Full) throw new DiskFullException("full");
            lock (disk._lock) disk.Step(Kind + " allocate", () => Array.Resize(ref node.Now, (int)Math.Max(length, node.Now.Length)));
        }

        public void SetLength(long length)
        {
            lock (disk._lock) Array.Resize(ref node.Now, (int)length);
        }

        public void Sync()
        {
            disk.BeforeSync?.Invoke();
            if (disk.FailSync) throw new IOException("injected fdatasync failure");
            lock (disk._lock) disk.Step(Kind + " sync", () => node.Durable = (byte[])node.Now.Clone());
        }

        public void Dispose()
        {
        }
    }
}
