namespace Mesh.Store.Files;

/// <summary>The disk as the engine sees it. Real in <see cref="DiskFiles"/>; tests put a failing or forgetting one in its place.</summary>
public interface IStoreFiles
{
    /// <summary>Creates the directory and its parents when absent.</summary>
    void CreateDirectory(string path);

    /// <summary>Full paths of the files in a directory, in ordinal order.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Opens a file for reading and writing at offsets; creates it when absent and <paramref name="create"/> is set.</summary>
    IStoreFile Open(string path, bool create);

    /// <summary>
    /// A new file of a length that reads as zeros, in place of whatever had the name; throws <see cref="DiskFullException"/>. What <see cref="Prepare"/> has made ready in that
    /// directory is taken if it is long enough.
    /// </summary>
    IStoreFile Create(string path, long length);

    /// <summary>A file of this length will soon be created in a directory: what can be done for it beforehand is done beside the caller. May do nothing.</summary>
    void Prepare(string directory, long length);

    /// <summary>Ends what <see cref="Prepare"/> has begun in a directory, and removes it.</summary>
    void Abandon(string directory);

    /// <summary>Takes a data directory for this process until disposed; <see cref="IOException"/> says that another process has it. The end of a process, however it comes, frees it.</summary>
    IDisposable Lock(string directory);

    /// <summary>Renames within one file system, replacing the target at once.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; absent is fine.</summary>
    void Delete(string path);

    /// <summary>Makes creations, renames and removals in a directory durable.</summary>
    void SyncDirectory(string path);
}

/// <summary>One open file, used at explicit offsets.</summary>
public interface IStoreFile : IDisposable
{
    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads up to the buffer's length; returns the number of bytes read, 0 at the end.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Writes all bytes.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Writes all bytes and returns when they are on the disk. Quickest with whole blocks (<see cref="AlignedBuffer.BlockSize"/>) out of an <see cref="AlignedBuffer"/>.</summary>
    void WriteDurably(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Reserves space that reads as zeros, so that later writes neither grow the file nor run out of disk. Throws <see cref="DiskFullException"/>.</summary>
    void Allocate(long length);

    /// <summary>Cuts or extends (with zeros) to a length.</summary>
    void SetLength(long length);

    /// <summary>Returns when every byte written before is on the disk.</summary>
    void Sync();
}

/// <summary>The disk has no room; nothing was changed.</summary>
public sealed class DiskFullException(string message) : IOException(message);
