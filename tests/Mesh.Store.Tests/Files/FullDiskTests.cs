using System.Diagnostics;
using Mesh.Store.Files;
using Mesh.Store.Tests.Support;

namespace Mesh.Store.Tests.Files;

/// <summary>A real file system that is really full: a tmpfs of four megabytes.</summary>
public class FullDiskTests
{
    [Fact]
    public Task A_full_file_system_refuses_writes_serves_reads_and_recovers() =>
        OnFourMegabytesAsync(directory => FillAsync(Path.Combine(directory, "db"), Path.Combine(directory, "ballast")));

    [Fact]
    public Task The_last_room_is_not_kept_for_a_spare_file() => OnFourMegabytesAsync(async directory =>
    {
        var files = new DiskFiles();
        files.Prepare(directory, 2 << 20);
        await Eventually.True(() => new FileInfo(Path.Combine(directory, "spare")) is { Exists: true, Length: 2 << 20 }, "the spare file has its room");
        using var file = files.Create(Path.Combine(directory, "1.log"), 3 << 20);
        Assert.Equal(3 << 20, file.Length);
        Assert.Throws<DiskFullException>(() => files.Create(Path.Combine(directory, "2.log"), 3 << 20));
        Assert.Equal([Path.Combine(directory, "1.log")], files.List(directory));
    });

    private static async Task OnFourMegabytesAsync(Func<string, Task> test)
    {
        var directory = Directory.CreateTempSubdirectory("mesh-store-full-").FullName;
        // Like every test with a real machine under it, this one is root's (DurabilityTests has the same on a disk in memory).
        Assert.True(await Run("mount", "-t", "tmpfs", "-o", "size=4m", "mesh-store-test", directory) == 0, "a tmpfs could not be mounted: run the tests as root");
        try
        {
            await test(directory);
        }
        finally
        {
            Assert.Equal(0, await Run("umount", "-l", directory));
            Directory.Delete(directory);
        }
    }

    private static async Task FillAsync(string data, string ballast)
    {
        var written = 0;
        await using (var engine = Kv.Open(new DiskFiles(), change: o => (o.DataDir, o.SegmentBytes) = (data, 256 * 1024)))
        {
            await engine.PutAsync("first", "1");
            await File.WriteAllBytesAsync(ballast, new byte[2 << 20]);
            StoreException? refusal = null;
            while (refusal is null)
            {
                try
                {
                    await engine.PutAsync($"k{written}", new string('x', 10_000));
                    written++;
                }
                catch (StoreException e)
                {
                    refusal = e;
                }

                Assert.True(written < 1000, "the file system never fills up");
            }

            Assert.Equal("etcdserver: mvcc: database space exceeded", refusal.Message);
            Assert.Contains(Alarm.NoSpace, engine.Alarms);
            Assert.Null(engine.Failure);
            Assert.Equal("1", Kv.S(engine.Get("first").Kvs[0].Value));
            await Assert.ThrowsAsync<StoreException>(async () => await engine.PutAsync("more", new string('x', 10_000)));

            File.Delete(ballast);
            Assert.Equal(written + 3, (await engine.PutAsync("after", "2")).Revision);
            Assert.Empty(engine.Alarms);
        }

        await using var again = Kv.Open(new DiskFiles(), change: o => (o.DataDir, o.SegmentBytes) = (data, 256 * 1024));
        Assert.Equal(written + 2, again.Get("\0", "\0").Count);
        Assert.Equal("2", Kv.S(again.Get("after").Kvs[0].Value));
    }

    private static async Task<int> Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
