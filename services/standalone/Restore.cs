using System.ComponentModel;
using System.Globalization;
using Mesh.Hosting;
using Mesh.Store;
using Mesh.Store.Wal;

namespace Mesh.Standalone;

/// <summary>Options of `restore`.</summary>
internal sealed class RestoreOptions
{
    [Description("data directory of a prepared cluster that does not run")]
    public string Cluster { get; set; } = "";

    [Description("file that `etcdctl snapshot save` wrote")]
    public string Snapshot { get; set; } = "";
}

/// <summary>Puts a snapshot in the place of a stopped cluster's store; the data before it is kept beside it.</summary>
internal static class Restore
{
    public static async Task<int> RunAsync(RestoreOptions options)
    {
        if (options.Cluster.Length == 0 || options.Snapshot.Length == 0) throw new SettingsException("restore: --cluster DIR and --snapshot FILE are needed");
        if (ClusterOptions.Load(options.Cluster).Store is { Length: > 0 } elsewhere)
            throw new SettingsException($"restore: the cluster is kept in {elsewhere}: restore it there (etcdctl snapshot restore)");
        try
        {
            var (restored, before) = await StoreRestore.ReplaceAsync(options.Snapshot, new ClusterLayout(options.Cluster).Store);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"restored {restored.Keys} keys of revision {restored.Taken}; the store goes on from {restored.Revision}") + (before is null ? "" : $"; the data before is in {before}"));
            return 0;
        }
        catch (Exception e) when (e is IOException or StoreCorruptException or StoreFormatException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("error: " + e.Message);
            return 1;
        }
    }
}
