using Mesh.Hosting;
using Mesh.ServiceProxy.Model;
using Mesh.ServiceProxy.Nftables;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

/// <summary>Chooses the driver: the one asked for, or the first that this machine allows.</summary>
internal static class DriverFactory
{
    private static readonly string[] Known = ["auto", "nftables", "none"];

    public static void Check(ProxyOptions options)
    {
        if (!Known.Contains(options.Driver))
            throw new SettingsException($"service-proxy: --driver {options.Driver} is none of {string.Join(", ", Known)}");
    }

    public static IForwardingDriver Create(ProxyOptions options, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger("service-proxy");
        if (options.Driver is "auto" or "nftables")
        {
            if (NftLibrary.TryOpen(out var reason) is { } library)
            {
                NodeSettings.Apply(logger);
                return new NftDriver(library, new NftOptions(options.Table, options.PodCidr, options.ServiceCidr), new ConntrackTool(), loggers.CreateLogger<NftDriver>());
            }

            if (options.Driver == "nftables")
                throw new InvalidOperationException($"the nftables driver cannot be used: {reason.Trim()}");
            Log.DriverUnusable(logger, "nftables", reason.Trim());
        }

        return new NoDriver();
    }

    /// <summary>Forwards nothing: for hollow nodes, whose pods have no network.</summary>
    private sealed class NoDriver : IForwardingDriver
    {
        public string Name => "none";

        public ValueTask ResetAsync(IReadOnlyCollection<VirtualPort> ports, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask ApplyAsync(IReadOnlyList<VirtualPortChange> changes, CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
