using System.Globalization;
using System.Runtime.InteropServices;

namespace Mesh.Perf.Memory;

/// <summary>
/// Memory of several processes as a control group counts it: a page that two of them map (the runtime's libraries) is one page. The kernel's proportional set size would
/// share such a page with every other .NET process of the machine too. See pagemap in the kernel's admin guide: eight bytes a page, the frame in the low 55 bits.
/// </summary>
internal static class PhysicalPages
{
    private const ulong Present = 1UL << 63;
    private const ulong FrameMask = (1UL << 55) - 1;
    private const int Chunk = 1 << 13; // entries read at once

    /// <summary>Bytes that the processes hold together. Throws when the kernel hides the frames, which it does from everybody but root.</summary>
    public static long Of(IEnumerable<int> processes)
    {
        var frames = new HashSet<ulong>();
        var entries = new ulong[Chunk];
        foreach (var id in processes)
        {
            using var pagemap = File.OpenHandle($"/proc/{id}/pagemap");
            foreach (var (from, to) in Mappings(id))
            {
                for (var page = from; page < to; page += Chunk)
                {
                    var wanted = MemoryMarshal.AsBytes(entries.AsSpan(0, (int)Math.Min(Chunk, to - page)));
                    var read = RandomAccess.Read(pagemap, wanted, page * sizeof(ulong));
                    foreach (var entry in entries.AsSpan(0, read / sizeof(ulong)))
                        if ((entry & Present) != 0) frames.Add(entry & FrameMask);
                }
            }
        }

        if (frames.Count <= 1) throw new InvalidOperationException("the kernel does not tell which pages are shared: run the benchmark as root");
        return frames.Count * (long)Environment.SystemPageSize;
    }

    /// <summary>Mapped ranges, in pages.</summary>
    private static IEnumerable<(long From, long To)> Mappings(int id)
    {
        foreach (var line in File.ReadLines($"/proc/{id}/maps"))
        {
            if (line.EndsWith("[vsyscall]", StringComparison.Ordinal)) continue;
            var (dash, space) = (line.IndexOf('-', StringComparison.Ordinal), line.IndexOf(' ', StringComparison.Ordinal));
            yield return (Page(line.AsSpan(0, dash)), Page(line.AsSpan(dash + 1, space - dash - 1)));
        }
    }

    private static long Page(ReadOnlySpan<char> address) => (long)(ulong.Parse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture) / (ulong)Environment.SystemPageSize);
}
