using Mesh.Store.Commit;
using Mesh.Store.Files;
using Mesh.Store.Wal;

namespace Mesh.Store.Snapshots;

/// <summary>A file of a chain that was read or written.</summary>
internal readonly record struct SnapshotFile(SnapshotLink Link, string Path, long Bytes);

/// <summary>Reads a snapshot together with the ones it follows, which lie beside it.</summary>
internal static class SnapshotChain
{
    /// <summary>
    /// Fills an empty state machine; returns the newest snapshot's header and the files, base first. A file that is missing, damaged or not the one that was
    /// followed throws <see cref="StoreCorruptException"/> with its name; one of a newer format <see cref="StoreFormatException"/>.
    /// </summary>
    public static (SnapshotHeader Header, List<SnapshotFile> Files) Read(IStoreFiles files, string newest, StateMachine machine)
    {
        var links = Resolve(files, newest);
        var state = links[^1].Header;
        var decoder = new SnapshotDecoder(machine, state);
        var read = new List<SnapshotFile>(links.Count);
        foreach (var (path, header) in links)
        {
            if (read.Count > 0 && header.Follows != read[^1].Link)
                throw new StoreCorruptException(read[^1].Path, 0, $"{path} follows a snapshot with the checksum {header.Follows?.Checksum:x8}, this one has {read[^1].Link.Checksum:x8}");
            using var file = files.Open(path, create: false);
            var (checksum, end) = decoder.Read(file, path);
            read.Add(new SnapshotFile(new SnapshotLink(header.Place, header.Index, checksum), path, end));
        }

        decoder.Finish();
        return (state, read);
    }

    /// <summary>The chain that ends with a file, base first, by what the headers say.</summary>
    private static List<(string Path, SnapshotHeader Header)> Resolve(IStoreFiles files, string newest)
    {
        var header = ReadHeader(files, newest);
        var links = new List<(string Path, SnapshotHeader Header)> { (newest, header) };
        var beside = header.Follows is null ? [] : files.List(Path.GetDirectoryName(newest)!);
        while (header.Follows is { } before)
        {
            var after = links[^1].Path;
            var path = Path.Combine(Path.GetDirectoryName(newest)!, SnapshotFormat.FileName(before.Index));
            if (!beside.Contains(path)) throw new StoreCorruptException(after, 0, $"it continues {path}, which is missing");
            header = ReadHeader(files, path);
            if (header.Index != before.Index || header.Place != before.Place || header.Identity != links[^1].Header.Identity)
                throw new StoreCorruptException(path, 0, $"it is not the snapshot that {after} continues");
            links.Add((path, header));
        }

        links.Reverse();
        return links;
    }

    private static SnapshotHeader ReadHeader(IStoreFiles files, string path)
    {
        using var file = files.Open(path, create: false);
        var bytes = new byte[SnapshotFormat.HeaderSize];
        return SnapshotFormat.ReadHeader(bytes.AsSpan(0, TornTail.ReadFully(file, bytes, 0)), path);
    }
}
