using System.ComponentModel;
using Mesh.Hosting;

namespace Mesh.Standalone;

/// <summary>
/// The commands behind ./mesh:
///   prepare  certificates, kubeconfig, etcdctl.env; remembers the options of the cluster
///   run      every service in this process, or those of --services
///   services the names of the services of a cluster
///   migrate  moves the state of a stopped cluster to another store
///   wait     until the node is Ready
///   cleanup  containers, networks, mounts and cgroups that the cluster made
///   restore  a snapshot in place of the store's data
/// </summary>
internal static class Program
{
    private const string Usage = "usage: Mesh.Standalone prepare|run|services|wait|migrate|cleanup|restore [OPTION...] (each takes --help)";

    private static async Task<int> Main(string[] args)
    {
        var rest = args.Skip(1).ToArray();
        try
        {
            switch (args.FirstOrDefault())
            {
                case "prepare":
                    return await CommandAsync(rest, ClusterOptions.Resolve, options =>
                    {
                        Preparation.Run(options);
                        return Task.FromResult(0);
                    });
                case "run":
                    var builder = MeshHost.CreateBuilder(rest);
                    var run = builder.Bind<RunOptions>();
                    // Help needs no cluster: it shows what every service can be told.
                    if (builder.HelpRequested) Composition.AddAll(builder);
                    else Composition.Add(builder, ClusterOptions.Load(run.Cluster), run.Services);
                    return await MeshHost.RunAsync(builder);
                case "services":
                    return await CommandAsync(rest, b => b.Bind<ExistingOptions>(), which =>
                    {
                        Console.WriteLine(string.Join(' ', Composition.Services(ClusterOptions.Load(which.Cluster))));
                        return Task.FromResult(0);
                    });
                case "migrate":
                    return await CommandAsync(rest, b => b.Bind<MigrationOptions>(), to => Migration.RunAsync(ClusterOptions.Load(to.Cluster), to));
                case "wait":
                    return await CommandAsync(rest, b => b.Bind<WaitOptions>(), wait => NodeWait.RunAsync(ClusterOptions.Load(wait.Cluster), wait.Timeout));
                case "cleanup":
                    return await CommandAsync(rest, b => b.Bind<ExistingOptions>(), clean => Cleanup.RunAsync(ClusterOptions.Load(clean.Cluster)));
                case "restore":
                    return await CommandAsync(rest, b => b.Bind<RestoreOptions>(), Restore.RunAsync);
                case "--help" or "-h":
                    Console.WriteLine(Usage);
                    return 0;
                default:
                    await Console.Error.WriteLineAsync(Usage);
                    return 2;
            }
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync("error: " + e.Message);
            return 2;
        }
    }

    /// <summary>A command that runs no service: its options, or their help.</summary>
    private static async Task<int> CommandAsync<T>(string[] args, Func<MeshHostBuilder, T> read, Func<T, Task<int>> run)
    {
        var builder = MeshHost.CreateBuilder(args);
        var options = read(builder);
        if (builder.HelpRequested)
        {
            await Console.Out.WriteAsync(builder.Help());
            return 0;
        }

        builder.RefuseUnknownFlags();
        return await run(options);
    }

    private sealed class ExistingOptions
    {
        [Description("data directory of a prepared cluster")]
        public string Cluster { get; set; } = ".mesh";
    }

    private sealed class RunOptions
    {
        [Description("data directory of a prepared cluster")]
        public string Cluster { get; set; } = ".mesh";

        [Description("services to run, comma separated; default: all")]
        public string Services { get; set; } = "";
    }

    private sealed class WaitOptions
    {
        [Description("data directory of a prepared cluster")]
        public string Cluster { get; set; } = ".mesh";

        [Description("how long to wait")]
        public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);
    }
}
