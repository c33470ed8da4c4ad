using Mesh.Store.Files;

namespace Mesh.Store.Snapshots;

/// <summary>Snapshot files of a data directory: written aside, synced, renamed; a file under its final name is whole.</summary>
internal sealed class SnapshotFiles(IStoreFiles files, string directory)
{
    /// <summary>The newest snapshot's path, or null.</summary>
    public string? Newest() => files.List(directory).LastOrDefault(p => SnapshotFormat.TryParseName(p, out _));

    /// <summary>Removes what an interrupted write left behind.</summary>
    public void RemoveUnfinished()
    {
        files.CreateDirectory(directory);
        foreach (var path in files.List(directory).Where(p => p.EndsWith(".tmp", StringComparison.Ordinal))) files.Delete(path);
    }

    /// <summary>Writes a snapshot; when this returns it is durable under its final name and older ones are gone.</summary>
    public void Write(SnapshotCapture capture, CancellationToken cancel)
    {
        var path = Path.Combine(directory, SnapshotFormat.FileName(capture.Header.Index));
        var temporary = path + ".tmp";
        try
        {
            using var file = files.Open(temporary, create: true);
            file.SetLength(0);
            long offset = 0, synced = 0;
            foreach (var chunk in SnapshotEncoder.Encode(capture))
            {
                cancel.ThrowIfCancellationRequested();
                file.Write(chunk.Span, offset);
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
        foreach (var old in files.List(directory).Where(p => SnapshotFormat.TryParseName(p, out var index) && index < capture.Header.Index)) files.Delete(old);
    }
}
