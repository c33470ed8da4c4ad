using Mesh.Store.Files;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wal;

namespace Mesh.Store.Tests.Wal;

/// <summary>Batches are written in whole blocks around the page cache, the last block of each again with the next: on the real disk, every length, every restart.</summary>
public sealed class WholeBlocksTests : IDisposable
{
    private const int Segment = 256 * 1024;
    private static readonly StoreIdentity s_identity = new(7, 9);
    private readonly string _directory = Directory.CreateTempSubdirectory("mesh-wal-").FullName;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_was_committed_comes_back_over_segments_and_restarts(int seed)
    {
        var random = new Random(seed);
        var files = new DiskFiles();
        var written = new List<byte[]>();
        for (var life = 0; life < 12; life++)
        {
            using var log = Open(files, out var records);
            Assert.Equal(written.Count, records.Count);
            for (var i = 0; i < written.Count; i++) Assert.Equal(written[i], records[i].Payload);
            for (var batch = random.Next(60); batch > 0; batch--)
            {
                for (var size = random.Next(1, 12); size > 0; size--)
                {
                    var payload = new byte[random.Next(10) == 0 ? random.Next(60_000) : random.Next(3000)];
                    random.NextBytes(payload);
                    log.Stage(RecordType.Put, payload);
                    written.Add(payload);
                }

                log.Commit();
            }
        }

        Assert.True(Directory.GetFiles(_directory, "*.log").Length > 3);
    }

    /// <summary>Records that end exactly at a block's end, and one byte to either side of it.</summary>
    [Fact]
    public void Batches_that_end_at_the_edge_of_a_block()
    {
        var files = new DiskFiles();
        var count = 0;
        for (var off = -24; off <= 24; off += 8)
        {
            using (var log = Open(files, out var before))
            {
                Assert.Equal(count, before.Count);
                var end = SegmentFormat.HeaderSize + log.SizeInBytes;
                var room = (int)(AlignedBuffer.RoundUp(end + 2048) - end) + off;
                log.Stage(RecordType.Put, new byte[room - RecordFormat.SizeOnDisk(0)]);
                log.Commit();
                log.Stage(RecordType.Put, [1, 2, 3]);
                log.Commit();
                count += 2;
            }

            using var again = Open(files, out var records);
            Assert.Equal(count, records.Count);
            Assert.Equal([1, 2, 3], records[^1].Payload);
        }
    }

    /// <summary>Larger than a segment, then small ones in the block where it ended.</summary>
    [Fact]
    public void A_giant_batch_and_what_follows_it()
    {
        var files = new DiskFiles();
        var giant = new byte[9 << 20];
        new Random(5).NextBytes(giant);
        using (var log = Open(files, out _))
        {
            log.Stage(RecordType.Put, [1]);
            log.Commit();
            log.Stage(RecordType.Put, giant);
            log.Commit();
            log.Stage(RecordType.Put, [2]);
            log.Commit();
        }

        using var again = Open(files, out var records);
        Assert.Equal([[1], giant, [2]], records.Select(r => r.Payload));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private WriteAheadLog Open(DiskFiles files, out List<LogRecord> records)
    {
        var found = records = [];
        return WriteAheadLog.Open(files, _directory, Segment, s_identity, 0, found.Add);
    }
}
