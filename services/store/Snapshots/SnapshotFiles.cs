using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>
/// The snapshot files of a data directory: a base and its increments. Each is written aside, synced, renamed: a file under its final name is whole. A new base
/// begins a new chain. Used by one caller at a time.
/// </summary>
internal sealed class SnapshotFiles(IStoreFiles files, string directory)
{
    /// <summary>Increments after which the next snapshot is a base whatever they hold: each is a file to open.</summary>
    public const int MaxIncrements = 32;

    private List<SnapshotFile> _chain = [];

    /// <summary>The files that hold the state, base first.</summary>
    public IReadOnlyList<SnapshotFile> Chain => _chain;

    /// <summary>Reads the newest chain into an empty state machine and removes what interrupted writes left behind; null when there is no snapshot.</summary>
    public SnapshotHeader? Load(StateMachine machine)
    {
        files.CreateDirectory(directory);
        SnapshotHeader? newest = null;
        if (Newest() is { } path) (newest, _chain) = SnapshotChain.Read(files, path, machine);
        foreach (var left in files.List(directory).Where(p => p.EndsWith(".tmp", StringComparison.Ordinal))) files.Delete(left);
        RemoveOthers();
        return newest;
    }

    /// <summary>
    /// What the next snapshot follows, or null when it is to be a base: when there is none yet, or the chain takes more than twice the space of what it
    /// describes (and <paramref name="slack"/> bytes), or is too long. So as many bytes went into increments as a base takes, or into what is deleted since.
    /// </summary>
    public SnapshotLink? Next(long liveBytes, long slack) =>
        _chain.Count is 0 or > MaxIncrements || _chain.Sum(f => f.Bytes) > (2 * liveBytes) + slack ? null : _chain[^1].Link;

    /// <summary>Writes a snapshot; when this returns it is durable under its final name and part of the chain. Returns its bytes.</summary>
    public long Write(SnapshotCapture capture, CancellationToken cancel)
    {
        var path = Path.Combine(directory, SnapshotFormat.FileName(capture.Header.Index));
        var temporary = path + ".tmp";
        long offset = 0;
        uint checksum = 0;
        try
        {
            using var file = files.Open(temporary, create: true);
            file.SetLength(0);
            long synced = 0;
            foreach (var chunk in SnapshotEncoder.Encode(capture))
            {
                cancel.ThrowIfCancellationRequested();
                file.Write(chunk.Span, offset);
                checksum = Crc32C.Compute(chunk.Span, checksum);
                offset += chunk.Length;
                if (offset - synced < 8 << 20) continue;
                // Small steps keep the log's own fdatasync from waiting behind a mountain of dirty pages.
                file.Sync();
                synced = offset;
            }

            file.Sync();
        }
        catch (Exception e) when (e is DiskFullException or OperationCanceledException)
        {
            files.Delete(temporary);
            throw;
        }

        files.Rename(temporary, path);
        files.SyncDirectory(directory);
        if (capture.Header.Follows is null) _chain = [];
        _chain.Add(new SnapshotFile(new SnapshotLink(capture.Header.Place, capture.Header.Index, checksum), path, offset));
        return offset;
    }

    /// <summary>Removes snapshots that are not in the chain: a new base has what they had.</summary>
    public void RemoveOthers()
    {
        var kept = _chain.Select(f => f.Path).ToHashSet();
        foreach (var path in files.List(directory).Where(p => SnapshotFormat.TryParseName(p, out _) && !kept.Contains(p))) files.Delete(path);
    }

    private string? Newest() => files.List(directory).LastOrDefault(p => SnapshotFormat.TryParseName(p, out _));
}
