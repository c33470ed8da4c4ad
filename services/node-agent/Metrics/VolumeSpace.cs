using System.Runtime.InteropServices;

namespace Mesh.NodeAgent.Metrics;

/// <summary>Room in the file system that a path is in, in bytes and inodes.</summary>
internal sealed partial record VolumeSpace(long CapacityBytes, long AvailableBytes, long UsedBytes, long Inodes, long InodesFree, long InodesUsed)
{
    /// <summary>Null when the path is not there.</summary>
    public static VolumeSpace? Read(string path)
    {
        // struct statfs of 64-bit Linux: 120 bytes, all numbers of the first 56 are of 64 bits.
        Span<long> fields = stackalloc long[32];
        if (StatFs(path, ref MemoryMarshal.GetReference(fields)) != 0)
            return null;
        var (block, blocks, free, available, inodes, inodesFree) = (fields[1], fields[2], fields[3], fields[4], fields[5], fields[6]);
        return new VolumeSpace(blocks * block, available * block, (blocks - free) * block, inodes, inodesFree, inodes - inodesFree);
    }

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatFs(string path, ref long buffer);
}

/// <summary>A claim's volume in a pod on this node.</summary>
internal sealed record ClaimedVolume(string Namespace, string Claim, string Plugin, string Path);
