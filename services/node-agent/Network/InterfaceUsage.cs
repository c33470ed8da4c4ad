using System.Globalization;

namespace Mesh.NodeAgent.Network;

/// <summary>What went through one interface of a network namespace since it was made.</summary>
internal sealed record InterfaceUsage(
    string Name, long ReceivedBytes, long ReceivedPackets, long ReceiveErrors, long ReceiveDropped, long SentBytes, long SentPackets, long SendErrors, long SendDropped)
{
    /// <summary>The interfaces that a process sees, without loopback; none when it has gone.</summary>
    public static IReadOnlyList<InterfaceUsage> OfProcess(int process, string proc = "/proc")
    {
        try
        {
            return Parse(File.ReadAllText(Path.Combine(proc, process.ToString(CultureInfo.InvariantCulture), "net", "dev")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Two lines of heads, then "name: " and 16 numbers: eight received, eight sent, each beginning with bytes, packets, errors, dropped.</summary>
    public static IReadOnlyList<InterfaceUsage> Parse(string text)
    {
        var result = new List<InterfaceUsage>();
        foreach (var line in text.Split('\n').Skip(2))
        {
            if (line.Split(':', 2) is not [var name, var rest] || name.Trim() == "lo")
                continue;
            var n = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static f => long.Parse(f, CultureInfo.InvariantCulture)).ToArray();
            if (n.Length >= 12)
                result.Add(new InterfaceUsage(name.Trim(), n[0], n[1], n[2], n[3], n[8], n[9], n[10], n[11]));
        }

        return result;
    }
}
