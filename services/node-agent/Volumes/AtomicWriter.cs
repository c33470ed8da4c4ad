using System.Globalization;
using System.Security.Cryptography;

namespace Mesh.NodeAgent.Volumes;

/// <summary>One file of a projected volume.</summary>
internal sealed record ProjectedFile(byte[] Content, int Mode, long? Owner = null);

/// <summary>
/// Writes a set of files so that readers see all of the old set or all of the new one: the files live in a dated directory, ..data
/// points to it and is renamed over, and every name in the volume points through ..data.
/// </summary>
internal static class AtomicWriter
{
    private const string DataName = "..data";
    private const string NewDataName = "..data_tmp";

    /// <summary>Makes the directory hold exactly these files (keys are relative paths). Returns whether anything changed.</summary>
    public static bool Write(string target, IReadOnlyDictionary<string, ProjectedFile> files, long? group, DateTime now)
    {
        Directory.CreateDirectory(target);
        var data = Path.Combine(target, DataName);
        var old = new FileInfo(data).LinkTarget;
        if (old is not null && Same(Path.Combine(target, old), files))
            return false;

        var name = ".." + now.ToString("yyyy_MM_dd_HH_mm_ss", CultureInfo.InvariantCulture) + "." + RandomNumberGenerator.GetInt32(100_000_000, 1_000_000_000);
        var fresh = Path.Combine(target, name);
        Directory.CreateDirectory(fresh);
        Mode(fresh, group is null ? 0x1ED : 0x5ED);
        foreach (var (relative, file) in files)
            WriteFile(Path.Combine(fresh, relative), file, group, fresh);
        if (group is { } gid)
            LinuxMount.Own(fresh, -1, gid);

        var link = Path.Combine(target, NewDataName);
        File.Delete(link);
        File.CreateSymbolicLink(link, name);
        LinuxMount.Rename(link, data);
        LinkNames(target, files.Keys);
        if (old is not null && Directory.Exists(Path.Combine(target, old)))
            Directory.Delete(Path.Combine(target, old), recursive: true);
        return true;
    }

    private static void WriteFile(string path, ProjectedFile file, long? group, string root)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            for (var d = directory; d.Length > root.Length; d = Path.GetDirectoryName(d)!)
                Mode(d, 0x1ED);
        }

        using (var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            stream.Write(file.Content);
        if (file.Owner is not null || group is not null)
            LinuxMount.Own(path, file.Owner ?? -1, group ?? -1);
        // With a volume group the group may read what the owner may.
        Mode(path, group is null ? file.Mode : file.Mode | 0x120);
    }

    /// <summary>Every first part of a path is a link through ..data; links of names that are gone are removed.</summary>
    private static void LinkNames(string target, IEnumerable<string> paths)
    {
        var wanted = paths.Select(p => p.Split('/')[0]).ToHashSet(StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            var link = Path.Combine(target, name);
            if (new FileInfo(link).LinkTarget is null && !Directory.Exists(link))
                File.CreateSymbolicLink(link, DataName + "/" + name);
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries(target))
        {
            var name = Path.GetFileName(entry);
            if (!name.StartsWith("..", StringComparison.Ordinal) && !wanted.Contains(name))
                File.Delete(entry);
        }
    }

    private static bool Same(string directory, IReadOnlyDictionary<string, ProjectedFile> files)
    {
        if (!Directory.Exists(directory))
            return false;
        var present = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(directory, f)).ToHashSet(StringComparer.Ordinal);
        if (!present.SetEquals(files.Keys))
            return false;
        foreach (var (relative, file) in files)
        {
            var info = new FileInfo(Path.Combine(directory, relative));
            if (info.Length != file.Content.Length || !File.ReadAllBytes(info.FullName).AsSpan().SequenceEqual(file.Content))
                return false;
        }

        return true;
    }

    private static void Mode(string path, int mode) => File.SetUnixFileMode(path, (UnixFileMode)(mode & 0xFFF));
}
