using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mesh.NodeAgent.Nodes;

/// <summary>What the machine is. Read once, except for what can change (addresses, free space).</summary>
internal sealed record MachineInfo
{
    public required int Cpus { get; init; }

    public required long MemoryBytes { get; init; }

    public string MachineId { get; init; } = "";

    public string SystemUuid { get; init; } = "";

    public string BootId { get; init; } = "";

    public string Kernel { get; init; } = "";

    public string OsImage { get; init; } = "";

    /// <summary>Architecture as Go names it.</summary>
    public string Architecture { get; init; } = "amd64";

    public int MaxPids { get; init; }

    public static MachineInfo Read() => new()
    {
        Cpus = Environment.ProcessorCount,
        MemoryBytes = MemInfo("MemTotal:") * 1024,
        MachineId = Text("/etc/machine-id"),
        SystemUuid = Text("/sys/class/dmi/id/product_uuid") is { Length: > 0 } uuid ? uuid : Text("/etc/machine-id"),
        BootId = Text("/proc/sys/kernel/random/boot_id"),
        Kernel = Text("/proc/sys/kernel/osrelease"),
        OsImage = PrettyName(Text("/etc/os-release")),
        Architecture = RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            var other => other.ToString().ToLowerInvariant(),
        },
        MaxPids = int.TryParse(Text("/proc/sys/kernel/pid_max"), NumberStyles.None, CultureInfo.InvariantCulture, out var pids) ? pids : 0,
    };

    /// <summary>kB of a line of /proc/meminfo.</summary>
    public static long MemInfo(string key)
    {
        foreach (var line in File.ReadLines("/proc/meminfo"))
            if (line.StartsWith(key, StringComparison.Ordinal))
                return long.Parse(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        return 0;
    }

    /// <summary>The address other machines reach this one by: that of the interface with the default route, else the first that is not loopback.</summary>
    public static string? PrimaryAddress()
    {
        try
        {
            // No packet is sent: the kernel only says which source address it would take.
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(IPAddress.Parse("192.0.2.1"), 9);
            return ((IPEndPoint)probe.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            return NetworkInterface.GetAllNetworkInterfaces()
                .Where(n => n.NetworkInterfaceType != NetworkInterfaceType.Loopback && n.OperationalStatus == OperationalStatus.Up)
                .SelectMany(n => n.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address)
                .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)?.ToString();
        }
    }

    private static string PrettyName(string osRelease)
    {
        var line = osRelease.Split('\n').FirstOrDefault(l => l.StartsWith("PRETTY_NAME=", StringComparison.Ordinal));
        return line is null ? "Linux" : line["PRETTY_NAME=".Length..].Trim('"');
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
