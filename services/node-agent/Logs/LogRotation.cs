using System.Globalization;
using System.IO.Compression;

namespace Mesh.NodeAgent.Logs;

/// <summary>
/// Turns a container's log over when it has grown: renamed with its time, the runtime reopens the old name, older ones are compressed and
/// all but the newest few deleted.
/// </summary>
internal sealed class LogRotation(long maxBytes, int maxFiles)
{
    public async Task RotateAsync(string path, Func<Task> reopen, CancellationToken ct)
    {
        var info = new FileInfo(path);
        if (!info.Exists || info.Length < maxBytes)
            return;
        foreach (var old in Rotated(path).Where(f => !f.EndsWith(".gz", StringComparison.Ordinal)))
            await CompressAsync(old, ct);
        var stamp = DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var target = $"{path}.{stamp}";
        if (File.Exists(target))
            return;
        File.Move(path, target);
        try
        {
            await reopen();
        }
        catch
        {
            // The runtime goes on writing to the moved file: give it its name back.
            if (!File.Exists(path))
                File.Move(target, path);
            throw;
        }

        foreach (var old in Rotated(path).OrderDescending(StringComparer.Ordinal).Skip(maxFiles - 1))
            File.Delete(old);
    }

    // Not by a pattern: .NET lets "0.log.*" match "0.log" itself.
    private static List<string> Rotated(string path) =>
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Where(f => Path.GetFileName(f).StartsWith(Path.GetFileName(path) + ".", StringComparison.Ordinal))];

    private static async Task CompressAsync(string path, CancellationToken ct)
    {
        await using (var source = File.OpenRead(path))
        await using (var target = File.Create(path + ".gz"))
        await using (var gzip = new GZipStream(target, CompressionLevel.Fastest))
            await source.CopyToAsync(gzip, ct);
        File.Delete(path);
    }
}
