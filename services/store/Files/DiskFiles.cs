using Microsoft.Win32.SafeHandles;

namespace Mesh.Store.Files;

/// <summary>Files of the operating system, with fdatasync and preallocation.</summary>
public sealed class DiskFiles : IStoreFiles
{
    private readonly SpareFiles _spares = new();

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        if (!Directory.Exists(directory)) return [];
        var files = Directory.GetFiles(directory);
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    /// <inheritdoc/>
    public IStoreFile Open(string path, bool create) =>
        new DiskFile(File.OpenHandle(path, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), path);

    /// <inheritdoc/>
    public IStoreFile Create(string path, long length)
    {
        if (_spares.TryTake(path, length)) return Open(path, create: false);
        try
        {
            return Allocate(path, length);
        }
        catch (DiskFullException)
        {
            if (!_spares.Abandon(Path.GetDirectoryName(path)!)) throw;
            return Allocate(path, length); // the last room was the spare file's, which was not ready or not long enough
        }
    }

    /// <inheritdoc/>
    public void Prepare(string directory, long length) => _spares.Prepare(directory, length);

    /// <inheritdoc/>
    public void Abandon(string directory) => _ = _spares.Abandon(directory);

    /// <inheritdoc/>
    public IDisposable Lock(string directory)
    {
        Directory.CreateDirectory(directory);
        try
        {
            return File.OpenHandle(Path.Combine(directory, "LOCK"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); // flock(2)
        }
        catch (IOException e)
        {
            throw new IOException($"{directory} is in use by another process ({e.Message})", e);
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    /// <inheritdoc/>
    public void Delete(string path) => File.Delete(path);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        var fd = NativeMethods.Open(path, NativeMethods.OpenDirectory);
        if (fd < 0) throw NativeMethods.Failure("open directory", path);
        try
        {
            if (NativeMethods.Fsync(fd) != 0) throw NativeMethods.Failure("fsync", path);
        }
        finally
        {
            _ = NativeMethods.Close(fd);
        }
    }

    private DiskFile Allocate(string path, long length)
    {
        var file = new DiskFile(File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite), path);
        try
        {
            file.Allocate(length);
            return file;
        }
        catch (DiskFullException)
        {
            file.Dispose();
            Delete(path);
            throw;
        }
    }

    private sealed class DiskFile(SafeFileHandle handle, string path) : IStoreFile
    {
        private SafeFileHandle? _direct;
        private bool _directTried;

        public long Length => RandomAccess.GetLength(handle);

        public int Read(Span<byte> buffer, long offset) => RandomAccess.Read(handle, buffer, offset);

        public void Write(ReadOnlySpan<byte> bytes, long offset) => Write(handle, bytes, offset);

        public void WriteDurably(ReadOnlySpan<byte> bytes, long offset)
        {
            if (!_directTried) (_direct, _directTried) = (NativeMethods.OpenDirect(path, durably: true), true);
            if (_direct is not null && AlignedBuffer.IsAligned(bytes, offset))
            {
                Write(_direct, bytes, offset);
                return;
            }

            Write(bytes, offset);
            Sync();
        }

        public void Allocate(long length)
        {
            var error = NativeMethods.PosixFallocate(handle, 0, length);
            if (error == NativeMethods.ENOSPC) throw new DiskFullException($"preallocate {path}: no space left on device");
            // File systems without fallocate still work: the file grows as it is written.
            if (error != 0) RandomAccess.SetLength(handle, length);
        }

        public void SetLength(long length) => RandomAccess.SetLength(handle, length);

        public void Sync()
        {
            if (NativeMethods.Fdatasync(handle) != 0) throw NativeMethods.Failure("fdatasync", path);
        }

        public void Dispose()
        {
            handle.Dispose();
            _direct?.Dispose();
        }

        private void Write(SafeFileHandle to, ReadOnlySpan<byte> bytes, long offset)
        {
            try
            {
                RandomAccess.Write(to, bytes, offset);
            }
            catch (IOException e) when (NativeMethods.IsDiskFull(e))
            {
                throw new DiskFullException($"write {path}: {e.Message}");
            }
        }
    }
}
