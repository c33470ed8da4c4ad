using System.Security.Cryptography;
using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Snapshots;
using Mesh.Store.Wal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Store;

/// <summary>What a restored snapshot held: its revision when it was taken, and the one the store goes on from.</summary>
public readonly record struct RestoredSnapshot(long Taken, long Revision, int Keys, ulong ClusterId);

/// <summary>Makes a data directory from a file that `etcdctl snapshot save` received (or from a snapshot file of a data directory).</summary>
public static class StoreRestore
{
    // Where nobody knows how far the lost store was. It is what etcd's documentation advises to add for Kubernetes.
    private const long FarAhead = 1_000_000_000;

    /// <summary>
    /// Checks every checksum of <paramref name="snapshotPath"/>, then writes it as the snapshot of <paramref name="dataDir"/>, which must not hold a store yet.
    /// With <paramref name="atLeast"/> beyond the snapshot's revision the store goes on from there and is compacted there: no revision is given out twice, and who watched
    /// the lost store from a later revision is told to list again.
    /// Throws <see cref="StoreCorruptException"/> for a damaged file, <see cref="StoreFormatException"/> for a newer one, <see cref="IOException"/> when the directory is taken.
    /// </summary>
    public static RestoredSnapshot Restore(string snapshotPath, string dataDir, long atLeast = 0) => Restore(snapshotPath, dataDir, _ => atLeast);

    /// <summary>
    /// Puts a snapshot in the place of a store that nobody has open: checked and written beside it first, then the old data directory is moved to
    /// <c>DIR.before-restore-N</c> and kept. The revision goes on beyond the old store's, or far beyond the snapshot's where the old store cannot be read.
    /// Returns what was restored and where the old data is (null when there was none). Throws as <see cref="Restore(string, string, long)"/> does.
    /// </summary>
    public static async Task<(RestoredSnapshot Restored, string? Before)> ReplaceAsync(string snapshotPath, string dataDir)
    {
        dataDir = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDir));
        var lost = await RevisionOfAsync(dataDir).ConfigureAwait(false);
        var fresh = dataDir + ".restoring";
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true); // of a restore that did not finish
        RestoredSnapshot restored;
        try
        {
            restored = Restore(snapshotPath, fresh, taken => lost + 1 ?? taken + FarAhead);
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

    private static RestoredSnapshot Restore(string snapshotPath, string dataDir, Func<long, long> atLeast)
    {
        var files = new DiskFiles();
        var walDirectory = Path.Combine(dataDir, "wal");
        var snapDirectory = Path.Combine(dataDir, "snap");
        if (files.List(walDirectory).Count > 0 || files.List(snapDirectory).Count > 0) throw new IOException($"{dataDir} already holds a store");
        using var machine = new StateMachine(TimeProvider.System);
        var (header, chain) = SnapshotChain.Read(files, Path.GetFullPath(snapshotPath), machine);
        using (var source = files.Open(snapshotPath, create: false)) EnsureTrailer(source, snapshotPath, chain[^1].Bytes);

        var raised = Math.Max(header.Revision, atLeast(header.Revision));
        // A base, whatever was read.
        var whole = header with { Follows = null };
        var capture = new SnapshotCapture(
            raised > header.Revision ? whole with { Revision = raised, CompactRevision = raised } : whole,
            machine.Store.Published.View, machine.Lessor.Capture(), [.. machine.Alarms], machine.Access);
        files.CreateDirectory(snapDirectory);
        _ = new SnapshotFiles(files, snapDirectory).Write(capture, CancellationToken.None);
        return new RestoredSnapshot(header.Revision, raised, machine.Store.KeyCount, header.Identity.ClusterId);
    }

    /// <summary>How far the store of a directory is; null when there is none, or it cannot be read (which may be why it is replaced).</summary>
    private static async Task<long?> RevisionOfAsync(string dataDir)
    {
        if (!Directory.Exists(dataDir)) return null;
        var files = new DiskFiles();
        using (files.Lock(dataDir))
        {
            // Somebody who has it open is told to the caller, not taken for damage.
        }

        try
        {
            await using var engine = StoreEngine.Open(new StoreOptions { DataDir = dataDir }, files, TimeProvider.System, NullLogger.Instance);
            return engine.Store.Published.Revision;
        }
        catch (Exception e) when (e is StoreCorruptException or StoreFormatException or IOException)
        {
            return null;
        }
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
