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

    /// <summary>Reserves space that reads as zeros, so that later writes neither grow the file nor run out of disk. Throws <see cref="DiskFullException"/>.</summary>
    void Allocate(long length);

    /// <summary>Cuts or extends (with zeros) to a length.</summary>
    void SetLength(long length);

    /// <summary>Returns when every byte written before is on the disk.</summary>
    void Sync();
}

/// <summary>The disk has no room; nothing was changed.</summary>
public sealed class DiskFullException(string message) : IOException(message);
