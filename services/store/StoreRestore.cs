using System.Security.Cryptography;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Snapshots;
using Mesh.Store.Wal;

namespace Mesh.Store;

/// <summary>What a restored snapshot held.</summary>
public readonly record struct RestoredSnapshot(long Revision, int Keys, ulong ClusterId);

/// <summary>Makes a data directory from a file that `etcdctl snapshot save` received (or from a snapshot file of a data directory).</summary>
public static class StoreRestore
{
    /// <summary>
    /// Checks every checksum of <paramref name="snapshotPath"/>, then writes it as the snapshot of <paramref name="dataDir"/>, which must not hold a store yet.
    /// Throws <see cref="StoreCorruptException"/> for a damaged file, <see cref="StoreFormatException"/> for a newer one, <see cref="IOException"/> when the directory is taken.
    /// </summary>
    public static RestoredSnapshot Restore(string snapshotPath, string dataDir)
    {
        var files = new DiskFiles();
        var walDirectory = Path.Combine(dataDir, "wal");
        var snapDirectory = Path.Combine(dataDir, "snap");
        if (files.List(walDirectory).Count > 0 || files.List(snapDirectory).Count > 0) throw new IOException($"{dataDir} already holds a store");
        using var machine = new StateMachine(TimeProvider.System);
        SnapshotHeader header;
        using (var source = files.Open(snapshotPath, create: false))
        {
            (header, var end) = SnapshotDecoder.Read(source, snapshotPath, machine);
            EnsureTrailer(source, snapshotPath, end);
            files.CreateDirectory(snapDirectory);
            var target = Path.Combine(snapDirectory, SnapshotFormat.FileName(header.Index));
            using (var copy = files.Open(target + ".tmp", create: true))
            {
                copy.SetLength(0);
                var buffer = new byte[1 << 20];
                for (long offset = 0; offset < end;)
                {
                    var read = source.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)), offset);
                    copy.Write(buffer.AsSpan(0, read), offset);
                    offset += read;
                }

                copy.Sync();
            }

            files.Rename(target + ".tmp", target);
            files.SyncDirectory(snapDirectory);
        }

        return new RestoredSnapshot(header.Revision, machine.Store.KeyCount, header.Identity.ClusterId);
    }

    /// <summary>
    /// Puts a snapshot in the place of a store that nobody has open: checked and written beside it first, then the old data directory is moved to
    /// <c>DIR.before-restore-N</c> and kept. Returns what was restored and where the old data is (null when there was none). Throws as <see cref="Restore"/> does.
    /// </summary>
    public static (RestoredSnapshot Restored, string? Before) Replace(string snapshotPath, string dataDir)
    {
        dataDir = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDir));
        var fresh = dataDir + ".restoring";
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true); // of a restore that did not finish
        RestoredSnapshot restored;
        try
        {
            restored = Restore(snapshotPath, fresh);
        }
        catch
        {
            if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
            throw;
        }

        string? before = null;
        if (Directory.Exists(dataDir))
        {
            using var held = new DiskFiles().Lock(dataDir);
            for (var n = 1; before is null || Directory.Exists(before); n++) before = dataDir + ".before-restore-" + n;
            Directory.Move(dataDir, before);
        }

        Directory.Move(fresh, dataDir);
        new DiskFiles().SyncDirectory(Path.GetDirectoryName(dataDir)!);
        return (restored, before);
    }

    /// <summary>A file from the wire ends with the SHA-256 of all before; one from a data directory ends without.</summary>
    private static void EnsureTrailer(IStoreFile file, string path, long end)
    {
        var rest = file.Length - end;
        if (rest == 0) return;
        var trailer = new byte[SHA256.HashSizeInBytes];
        if (rest != trailer.Length || TornTail.ReadFully(file, trailer, end) != trailer.Length) throw new StoreCorruptException(path, end, "bytes follow the end of the snapshot");
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (long offset = 0; offset < end;)
        {
            var read = file.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - offset)), offset);
            sha.AppendData(buffer.AsSpan(0, read));
            offset += read;
        }

        if (!sha.GetHashAndReset().AsSpan().SequenceEqual(trailer)) throw new StoreCorruptException(path, end, "the SHA-256 at the end does not match");
    }
}
