using System.Text;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Volumes;
using VolumeProjection = Mesh.NodeAgent.Volumes.VolumeProjection;

namespace Mesh.NodeAgent.Tests.Volumes;

public sealed class VolumeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("volume").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Files_change_together_and_gone_ones_go()
    {
        Assert.True(AtomicWriter.Write(directory, Files(("a", "1"), ("sub/b", "2")), null, DateTime.UtcNow));
        Assert.Equal("..data/a", new FileInfo(Path.Combine(directory, "a")).LinkTarget);
        Assert.Equal("2", File.ReadAllText(Path.Combine(directory, "sub", "b")));
        Assert.Equal((UnixFileMode)0x1A4, File.GetUnixFileMode(Path.Combine(directory, "..data", "a")));
        Assert.False(AtomicWriter.Write(directory, Files(("a", "1"), ("sub/b", "2")), null, DateTime.UtcNow));

        Assert.True(AtomicWriter.Write(directory, Files(("a", "new"), ("c", "3")), null, DateTime.UtcNow));
        Assert.Equal("new", File.ReadAllText(Path.Combine(directory, "a")));
        Assert.False(Path.Exists(Path.Combine(directory, "sub")));
        // One dated directory is left, and the links.
        Assert.Equal(["..data", "a", "c"], Directory.EnumerateFileSystemEntries(directory).Select(e => Path.GetFileName(e)!).Where(n => !n.StartsWith("..2", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Single(Directory.GetDirectories(directory, "..2*"));
    }

    [Fact]
    public void Config_map_items_choose_keys_paths_and_modes()
    {
        var map = new ConfigMap { Data = new() { ["k"] = "v", ["other"] = "x" }, BinaryData = new() { ["bin"] = [0, 1] } };
        var files = new Dictionary<string, ProjectedFile>();
        VolumeProjection.AddConfigMap(files, map, "m", [new KeyToPath { Key = "k", Path = "dir/file", Mode = 256 }], false, null);
        Assert.Equal(("v", 256), (Encoding.UTF8.GetString(files["dir/file"].Content), files["dir/file"].Mode));
        Assert.Single(files);
        files.Clear();
        VolumeProjection.AddConfigMap(files, map, "m", null, false, 0x1FF);
        Assert.Equal(["bin", "k", "other"], files.Keys.Order());
        Assert.Equal("configmap references non-existent config key: z", Assert.Throws<VolumeException>(() => VolumeProjection.AddConfigMap(files, map, "m", [new KeyToPath { Key = "z", Path = "z" }], false, null)).Message);
        Assert.Equal("configmap \"m\" not found", Assert.Throws<VolumeException>(() => VolumeProjection.AddConfigMap(files, null, "m", null, false, null)).Message);
        VolumeProjection.AddConfigMap(files, null, "m", null, true, null);
        Assert.Throws<VolumeException>(() => VolumeProjection.AddConfigMap(files, map, "m", [new KeyToPath { Key = "k", Path = "../escape" }], false, null));
    }

    [Theory]
    [InlineData("DirectoryOrCreate", "made", true)]
    [InlineData("FileOrCreate", "made", true)]
    [InlineData("Directory", "absent", false)]
    [InlineData("File", "absent", false)]
    [InlineData("Socket", "absent", false)]
    [InlineData("", "absent", true)]
    public void Host_path_types_are_checked_or_made(string type, string name, bool fine)
    {
        var path = Path.Combine(directory, type + name);
        if (fine)
            HostPathChecks.Ensure(path, type);
        else
            Assert.Contains("hostPath type check failed", Assert.Throws<VolumeException>(() => HostPathChecks.Ensure(path, type)).Message);
        Assert.Equal(type is "DirectoryOrCreate" or "FileOrCreate", Path.Exists(path));
    }

    [Fact]
    public void Character_devices_are_told_from_files()
    {
        HostPathChecks.Ensure("/dev/null", "CharDevice");
        Assert.Equal("hostPath type check failed: /dev/null is not a file", Assert.Throws<VolumeException>(() => HostPathChecks.Ensure("/dev/null", "File")).Message);
        Assert.Equal("hostPath type check failed: /dev/null is not a block device", Assert.Throws<VolumeException>(() => HostPathChecks.Ensure("/dev/null", "BlockDevice")).Message);
    }

    private static Dictionary<string, ProjectedFile> Files(params (string Name, string Text)[] files) =>
        files.ToDictionary(f => f.Name, f => new ProjectedFile(Encoding.UTF8.GetBytes(f.Text), 0x1A4));
}
