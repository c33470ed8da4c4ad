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
    /// Fills an empty state machine, from the newest file back to the base, so that what nobody sees any more is not restored; returns the newest snapshot's header and the
    /// files, base first. A file that is missing, damaged or not the one that was
    /// followed throws <see cref="StoreCorruptException"/> with its name; one of a newer format <see cref="StoreFormatException"/>.
    /// </summary>
    public static (SnapshotHeader Header, List<SnapshotFile> Files) Read(IStoreFiles files, string newest, StateMachine machine)
    {
        var links = Resolve(files, newest);
        var state = links[0].Header;
        var decoder = new SnapshotDecoder(machine, state);
        var read = new List<SnapshotFile>(links.Count);
        var follows = state.Follows; // what the next file must be
        foreach (var (path, header) in links)
        {
            using var file = files.Open(path, create: false);
            var (checksum, end) = decoder.Read(file, path, isIncrement: header.Follows is not null);
            if (read.Count > 0 && checksum != follows?.Checksum)
                throw new StoreCorruptException(path, 0, $"{read[^1].Path} follows a snapshot with the checksum {follows?.Checksum:x8}, this one has {checksum:x8}");
            read.Add(new SnapshotFile(new SnapshotLink(header.Place, header.Index, checksum), path, end));
            follows = header.Follows;
        }

        decoder.Finish();
        read.Reverse();
        return (state, read);
    }

    /// <summary>The chain that ends with a file, that file first, by what the headers say.</summary>
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

        return links;
    }

    private static SnapshotHeader ReadHeader(IStoreFiles files, string path)
    {
        using var file = files.Open(path, create: false);
        var bytes = new byte[SnapshotFormat.HeaderSize];
        return SnapshotFormat.ReadHeader(bytes.AsSpan(0, TornTail.ReadFully(file, bytes, 0)), path);
    }
}
