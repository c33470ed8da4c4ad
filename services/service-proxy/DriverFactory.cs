using System.Diagnostics;
using Mesh.Hosting;
using Mesh.ServiceProxy.Model;
using Mesh.ServiceProxy.Nftables;
using Mesh.ServiceProxy.Userspace;
using Microsoft.Extensions.Logging;

namespace Mesh.ServiceProxy;

/// <summary>Chooses the driver: the one asked for, or the first that this machine allows.</summary>
internal static class DriverFactory
{
    private static readonly string[] Known = ["auto", "nftables", "userspace", "none"];

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

        if (options.Driver is "auto" or "userspace")
        {
            if (NativeForwarder.TryCreate(out var reason) is { } forwarder)
            {
                LocalRoute(options.ServiceCidr, logger);
                return new UserspaceDriver(forwarder, loggers.CreateLogger<UserspaceDriver>());
            }

            throw new InvalidOperationException($"the userspace driver cannot be used: {reason}");
        }

        return new NoDriver();
    }

    /// <summary>Makes every address of the service range one of this machine's, so that they can be listened on.</summary>
    private static void LocalRoute(string cidr, ILogger logger)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("ip", ["route", "replace", "local", cidr, "dev", "lo"]) { RedirectStandardError = true });
            var error = process?.StandardError.ReadToEnd();
            process?.WaitForExit();
            if (process?.ExitCode != 0)
                Log.SettingFailed(logger, $"a local route for {cidr}", error?.Trim() ?? "ip did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Log.SettingFailed(logger, $"a local route for {cidr}", e.Message);
        }
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
