using Mesh.Store.Files;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Files;

public sealed class SpareFilesTests : IDisposable
{
    private const int Length = 1 << 20;
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-spare-").FullName;
    private readonly SpareFiles _spares = new();

    private string Spare => Path.Combine(_directory, "spare");

    [Fact]
    public async Task One_that_is_ready_becomes_the_new_file_and_is_all_zeros()
    {
        var path = Path.Combine(_directory, "1.log");
        Assert.False(_spares.TryTake(path, Length));
        _spares.Prepare(_directory, Length);
        _spares.Prepare(_directory, Length);
        await Eventually.True(() => _spares.TryTake(path, Length), "a spare file is ready");
        Assert.Equal(new byte[Length], await File.ReadAllBytesAsync(path));
        Assert.False(File.Exists(Spare));
        Assert.False(_spares.TryTake(path, Length));
    }

    [Fact]
    public async Task One_that_is_too_short_is_not_taken_and_the_next_is_made_anew()
    {
        var path = Path.Combine(_directory, "1.log");
        _spares.Prepare(_directory, Length);
        await Eventually.True(() => File.Exists(Spare) && new FileInfo(Spare).Length == Length, "a spare file is there");
        Assert.False(_spares.TryTake(path, Length * 2));
        await Eventually.True(
            () =>
            {
                _spares.Prepare(_directory, Length * 2);
                return _spares.TryTake(path, Length * 2);
            },
            "a longer one is made");
        Assert.Equal(new byte[Length * 2], await File.ReadAllBytesAsync(path));
    }

    [Fact]
    public void Abandoned_it_is_gone()
    {
        _spares.Prepare(_directory, 64L << 20);
        _spares.Abandon(_directory);
        Assert.Empty(Directory.GetFileSystemEntries(_directory));
        _spares.Abandon(_directory);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
