using System.Collections.Concurrent;

namespace Mesh.Store.Files;

/// <summary>
/// Files made before they are needed, one a directory, all of their blocks written with zeros. A file system has to note of a block that is only reserved that it has
/// been written, and to bring that note to the disk too: a sync costs twice as much. Nothing of this is needed for correctness: what fails is tried again with the next.
/// </summary>
internal sealed class SpareFiles
{
    private const int Chunk = 256 * 1024; // small enough that a write beside it does not wait long

    private readonly ConcurrentDictionary<string, Spare> _spares = new(); // by directory

    /// <summary>Begins to make one, unless there is one that is long enough.</summary>
    public void Prepare(string directory, long length)
    {
        if (_spares.TryGetValue(directory, out var old) && (old.State != State.Ready || old.Length >= length)) return;
        Abandon(directory);
        var spare = new Spare(Path.Combine(directory, "spare"), length);
        if (_spares.TryAdd(directory, spare)) ThreadPool.UnsafeQueueUserWorkItem(static s => s.Make(), spare, preferLocal: false);
    }

    /// <summary>Gives the directory's spare file a name, if one is ready and long enough.</summary>
    public bool TryTake(string path, long length)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (!_spares.TryGetValue(directory, out var spare) || spare.State == State.Making || (spare.State == State.Ready && spare.Length < length)) return false;
        _spares.TryRemove(directory, out _);
        if (spare.State != State.Ready) return false;
        File.Move(spare.Path, path, overwrite: true);
        return true;
    }

    /// <summary>Stops the making of a directory's spare file, which ends with the chunk that is being written, and removes it. False: there was none.</summary>
    public bool Abandon(string directory)
    {
        if (!_spares.TryRemove(directory, out var spare)) return false;
        spare.Stopping = true;
        SpinWait.SpinUntil(() => spare.State != State.Making);
        File.Delete(spare.Path);
        return true;
    }

    private enum State
    {
        Making,
        Ready,
        Failed,
    }

    private sealed class Spare(string path, long length)
    {
        private volatile State _state;

        public string Path => path;

        public long Length => length;

        public State State => _state;

        public volatile bool Stopping;

        public void Make()
        {
            var made = false;
            try
            {
                made = TryMake();
            }
            catch (IOException)
            {
                // The disk is full: whoever needs the room for records is told so.
            }
            catch (UnauthorizedAccessException)
            {
                // as above: the log's own file will say it
            }

            if (!made) File.Delete(path);
            _state = made ? State.Ready : State.Failed;
        }

        /// <summary>Around the page cache: these bytes are nobody's to read.</summary>
        private bool TryMake()
        {
            File.OpenHandle(path, FileMode.Create, FileAccess.Write).Dispose();
            using var file = NativeMethods.OpenDirect(path, durably: false);
            if (file is null || NativeMethods.PosixFallocate(file, 0, length) != 0) return false;
            using var zeros = new AlignedBuffer(Chunk);
            zeros.Span.Clear();
            for (long at = 0; at < length; at += Chunk)
            {
                if (Stopping) return false;
                RandomAccess.Write(file, zeros.Span[..(int)Math.Min(Chunk, length - at)], at);
            }

            return NativeMethods.Fdatasync(file) == 0;
        }
    }
}
