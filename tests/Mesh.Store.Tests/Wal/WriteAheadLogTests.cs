using System.Text;
using Mesh.Store.Files;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wal;

namespace Mesh.Store.Tests.Wal;

public class WriteAheadLogTests
{
    private const string Directory = "/db/wal";
    private static readonly StoreIdentity s_identity = new(7, 9);

    [Fact]
    public void Records_come_back_in_order_over_several_segments()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 1024))
        {
            for (var i = 0; i < 100; i++)
            {
                log.Stage(RecordType.Put, Payload(i));
                if (i % 3 == 0) log.Commit();
            }

            log.Commit();
            Assert.Equal(100UL, log.DurableIndex);
            Assert.True(log.SegmentCount > 5);
        }

        using var again = Open(files, out var records, segment: 1024);
        Assert.Equal(100, records.Count);
        Assert.All(records, (r, i) => Assert.Equal(Payload(i), r.Payload));
        Assert.Equal(s_identity, again.Identity);
    }

    [Fact]
    public void Deleting_up_to_a_snapshot_keeps_what_follows()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 512)) Fill(log, 50, batch: 1);
        using (var log = Open(files, out _, segment: 512)) log.DeleteUpTo(30);
        var records = new List<LogRecord>();
        using var again = WriteAheadLog.Open(files, Directory, 512, s_identity, 30, records.Add);
        Assert.Equal(31UL, records[0].Index);
        Assert.Equal(50UL, records[^1].Index);
        Assert.Throws<StoreCorruptException>(() => WriteAheadLog.Open(files, Directory, 512, s_identity, 3, _ => { }));
    }

    /// <summary>A file cut anywhere is a torn write at worst: what comes back is a beginning of what was written, never anything else.</summary>
    [Fact]
    public void Cut_at_every_offset_gives_a_prefix()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 4096)) Fill(log, 12, batch: 12);
        var path = files.List(Directory).Single();
        var whole = files.Content(path);
        var lengths = new HashSet<int>();
        for (var cut = SegmentFormat.HeaderSize; cut < whole.Length; cut++)
        {
            var copy = files.Copy();
            copy.SetContent(path, whole[..cut]);
            using var log = Open(copy, out var records, segment: 4096);
            Assert.All(records, (r, i) => Assert.Equal(Payload(i), r.Payload));
            Assert.Equal((ulong)records.Count, log.DurableIndex);
            lengths.Add(records.Count);
            // The log goes on after the cut.
            log.Stage(RecordType.Put, Payload(records.Count));
            log.Commit();
            log.Dispose();
            using var again = Open(copy, out var more, segment: 4096);
            Assert.Equal(records.Count + 1, more.Count);
        }

        Assert.Equal(13, lengths.Count);
    }

    /// <summary>One flipped bit in any written byte is found: the log refuses, or (in the unused zeros) comes back whole. It never comes back shorter or different.</summary>
    [Theory]
    [InlineData(12)] // one batch: nothing later proves that it was durable
    [InlineData(1)]
    public void Flipped_bits_are_refused(int batch)
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 4096)) Fill(log, 12, batch);
        var path = files.List(Directory).Single();
        var whole = files.Content(path);
        var refused = 0;
        for (var at = 0; at < whole.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var damaged = (byte[])whole.Clone();
                damaged[at] ^= (byte)(1 << bit);
                var copy = files.Copy();
                copy.SetContent(path, damaged);
                try
                {
                    using var log = Open(copy, out var records, segment: 4096);
                    Assert.True(records.Count == 12, $"byte {at} bit {bit}: {records.Count} records");
                    Assert.All(records, (r, i) => Assert.Equal(Payload(i), r.Payload));
                }
                catch (Exception e) when (e is StoreCorruptException or StoreFormatException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > 12 * 100 * 8, $"only {refused} refusals");
    }

    [Fact]
    public void Damage_in_an_earlier_segment_is_refused()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 512)) Fill(log, 30, batch: 1);
        var first = files.List(Directory)[0];
        files.SetContent(first, files.Content(first)[..200]);
        Assert.Throws<StoreCorruptException>(() => Open(files, out _, segment: 512));
    }

    [Fact]
    public void A_missing_segment_is_refused()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 512)) Fill(log, 30, batch: 1);
        files.Delete(files.List(Directory)[1]);
        Assert.Throws<StoreCorruptException>(() => Open(files, out _, segment: 512));
    }

    [Fact]
    public void A_newer_format_is_refused_by_name()
    {
        var files = new MemoryFiles();
        using (var log = Open(files, out _, segment: 4096)) Fill(log, 1, batch: 1);
        var path = files.List(Directory)[0];
        var bytes = files.Content(path);
        bytes[8] = 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(60), Crc32C.Compute(bytes.AsSpan(0, 60)));
        files.SetContent(path, bytes);
        Assert.Contains("format version 2", Assert.Throws<StoreFormatException>(() => Open(files, out _, segment: 4096)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_discards_the_batch_and_the_log_goes_on()
    {
        var files = new MemoryFiles();
        using var log = Open(files, out _, segment: 512);
        Fill(log, 2, batch: 1);
        files.Full = true;
        Assert.Throws<DiskFullException>(() => Fill(log, 20, batch: 20));
        files.Full = false;
        var before = log.DurableIndex;
        Fill(log, 1, batch: 1);
        Assert.Equal(before + 1, log.DurableIndex);
        using var again = Open(files, out var records, segment: 512);
        Assert.Equal((int)before + 1, records.Count);
    }

    [Fact]
    public void Crc_is_the_standard_castagnoli() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    private static WriteAheadLog Open(MemoryFiles files, out List<LogRecord> records, int segment)
    {
        var list = records = [];
        var log = WriteAheadLog.Open(files, Directory, segment, files.List(Directory).Count == 0 ? s_identity : null, 0, list.Add);
        return log;
    }

    private static void Fill(WriteAheadLog log, int count, int batch)
    {
        for (var i = 0; i < count; i++)
        {
            log.Stage(RecordType.Put, Payload(i));
            if ((i + 1) % batch == 0) log.Commit();
        }

        log.Commit();
    }

    private static byte[] Payload(int i) => Encoding.UTF8.GetBytes($"record {i} " + new string((char)('a' + i % 26), 60 + i * 7 % 40));
}
