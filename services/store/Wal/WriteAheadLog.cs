using System.Buffers;
using System.Diagnostics;
using Mesh.Store.Files;

namespace Mesh.Store.Wal;

/// <summary>
/// The log: preallocated segments, a batch made durable with one write of whole blocks, the first of which is the block that the batch before ended in. A batch lies in one
/// segment, so running out of disk is noticed before any of it is written. Used by one thread (the committer); see DESIGN.md for the format.
/// </summary>
internal sealed class WriteAheadLog : IDisposable
{
    private const int SmallBatch = 1 << 16;
    private const int FirstSegment = 1 << 20; // a store that is hardly written to stays small, and the next segment has time to be prepared
    private static readonly TimeSpan s_hiccup = TimeSpan.FromMilliseconds(4);
    private readonly IStoreFiles _files;
    private readonly string _directory;
    private readonly long _segmentSize;
    private readonly List<Segment> _segments = [];
    private AlignedBuffer _batch = new(SmallBatch);
    private int _blockLength; // bytes of the last batch's last block, with which the buffer begins
    private int _batchLength; // bytes staged, behind them
    private ulong _staged;
    private IStoreFile? _file;
    private long _position;
    private long _capacity;

    private WriteAheadLog(IStoreFiles files, string directory, long segmentSize, StoreIdentity identity)
    {
        (_files, _directory, _segmentSize, Identity) = (files, directory, segmentSize, identity);
    }

    /// <summary>Ids written into every segment.</summary>
    public StoreIdentity Identity { get; private set; }

    /// <summary>Index of the last record on disk.</summary>
    public ulong DurableIndex { get; private set; }

    /// <summary>Bytes of records in the segments that are kept.</summary>
    public long SizeInBytes => _segments.Sum(s => s.Bytes);

    /// <summary>How many segments are kept.</summary>
    public int SegmentCount => _segments.Count;

    /// <summary>
    /// Opens the log and replays every record after <paramref name="snapshotIndex"/> in order. A torn tail is cut. Throws
    /// <see cref="StoreCorruptException"/> or <see cref="StoreFormatException"/> when the log must not be used.
    /// </summary>
    public static WriteAheadLog Open(IStoreFiles files, string directory, long segmentSize, StoreIdentity? identity, ulong snapshotIndex, Action<LogRecord> replay)
    {
        files.CreateDirectory(directory);
        var log = new WriteAheadLog(files, directory, segmentSize, identity ?? default);
        log.Recover(snapshotIndex, identity, replay);
        return log;
    }

    /// <summary>Sets the ids of a log that is still empty.</summary>
    public void Adopt(StoreIdentity identity) => Identity = identity;

    /// <summary>Adds a record to the batch that the next <see cref="Commit"/> writes; returns its index.</summary>
    public ulong Stage(RecordType type, ReadOnlySpan<byte> payload)
    {
        var size = RecordFormat.SizeOnDisk(payload.Length);
        var end = _blockLength + _batchLength;
        _batch.Grow(end + size);
        var index = DurableIndex + ++_staged;
        RecordFormat.Write(_batch.Span.Slice(end, size), type, index, DurableIndex, payload);
        _batchLength += size;
        return index;
    }

    /// <summary>See <see cref="KnownBugs.SkipSync"/>.</summary>
    public bool SkipSync { private get; set; }

    /// <summary>What a batch's write took lately; a single slow one does not make the disk a slow one.</summary>
    public TimeSpan SyncTime { get; private set; }

    /// <summary>Bytes staged so far.</summary>
    public int StagedBytes => _batchLength;

    /// <summary>Forgets the staged records.</summary>
    public void Discard() => (_batchLength, _staged) = (0, 0);

    /// <summary>
    /// Writes the batch and returns when it is on disk. <see cref="DiskFullException"/>: nothing was written, the batch is discarded, the log goes on.
    /// Any other exception: what is on disk is unknown and the log must not be used again.
    /// </summary>
    public void Commit()
    {
        if (_staged == 0) return;
        if (_file is null || _position + _batchLength > _capacity)
        {
            try
            {
                Roll(_batchLength);
            }
            catch (DiskFullException)
            {
                Discard();
                throw;
            }
        }

        var length = _blockLength + _batchLength;
        var blocks = _batch.Span[..(int)AlignedBuffer.RoundUp(length)];
        blocks[length..].Clear();
        var started = Stopwatch.GetTimestamp();
        if (SkipSync) _file!.Write(blocks, _position - _blockLength);
        else _file!.WriteDurably(blocks, _position - _blockLength);
        var took = Stopwatch.GetElapsedTime(started);
        SyncTime += ((took < s_hiccup ? took : s_hiccup) - SyncTime) / 8;
        _position += _batchLength;
        _segments[^1].Bytes += _batchLength;
        DurableIndex += _staged;
        Discard();
        // One giant batch must not pin its buffer for good.
        var giant = _batch.Length > 8 << 20 ? _batch : null;
        if (giant is not null) _batch = new AlignedBuffer(SmallBatch);
        BeginBlock(blocks[(length & -AlignedBuffer.BlockSize)..length]);
        giant?.Dispose();
        if (_position > _capacity / 2) _files.Prepare(_directory, AlignedBuffer.RoundUp(_segmentSize));
    }

    /// <summary>Deletes segments that hold only records up to the index (a snapshot has them).</summary>
    public void DeleteUpTo(ulong index)
    {
        var deleted = false;
        while (_segments.Count > 1 && _segments[1].FirstIndex <= index + 1)
        {
            _files.Delete(_segments[0].Path);
            _segments.RemoveAt(0);
            deleted = true;
        }

        if (deleted) _files.SyncDirectory(_directory);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _files.Abandon(_directory);
        _file?.Dispose();
        _batch.Dispose();
    }

    private void Roll(int atLeast)
    {
        var sequence = _segments.Count == 0 ? 1 : _segments[^1].Sequence + 1;
        var path = Path.Combine(_directory, SegmentFormat.FileName(sequence));
        var wanted = _segments.Count == 0 ? Math.Min(_segmentSize, FirstSegment) : _segmentSize;
        var capacity = Math.Max(wanted, SegmentFormat.HeaderSize + (long)atLeast);
        var file = _files.Create(path, AlignedBuffer.RoundUp(capacity));
        var header = SegmentFormat.Write(new SegmentHeader(sequence, DurableIndex + 1, Identity));
        try
        {
            file.Write(header, 0);
            file.Sync();
            _files.SyncDirectory(_directory);
        }
        catch (DiskFullException)
        {
            file.Dispose();
            _files.Delete(path);
            throw;
        }

        _file?.Dispose();
        (_file, _position, _capacity) = (file, SegmentFormat.HeaderSize, capacity);
        _segments.Add(new Segment(path, sequence, DurableIndex + 1));
        BeginBlock(header);
    }

    /// <summary>The next batch begins behind these bytes of its first block; what is staged moves along.</summary>
    private void BeginBlock(ReadOnlySpan<byte> bytes)
    {
        _batch.Grow(bytes.Length + _batchLength);
        _batch.Span.Slice(_blockLength, _batchLength).CopyTo(_batch.Span[bytes.Length..]);
        bytes.CopyTo(_batch.Span);
        _blockLength = bytes.Length;
    }

    private void Recover(ulong snapshotIndex, StoreIdentity? identity, Action<LogRecord> replay)
    {
        var paths = _files.List(_directory).Where(p => SegmentFormat.TryParseName(p, out _)).ToList();
        DurableIndex = snapshotIndex;
        var next = 0UL; // index the next record must have; 0 until the first segment says
        for (var i = 0; i < paths.Count; i++)
        {
            var path = paths[i];
            var last = i == paths.Count - 1;
            var file = _files.Open(path, create: false);
            var headerBytes = new byte[SegmentFormat.HeaderSize];
            var read = TornTail.ReadFully(file, headerBytes, 0);
            if (last && (read < SegmentFormat.HeaderSize || headerBytes.AsSpan().IndexOfAnyExcept((byte)0) < 0))
            {
                // The crash came while the segment was being created: no record was ever in it.
                file.Dispose();
                _files.Delete(path);
                _files.SyncDirectory(_directory);
                break;
            }

            var header = SegmentFormat.Read(headerBytes.AsSpan(0, read), path) ?? throw new StoreCorruptException(path, 0, "the segment has no header but is not the last one");
            _ = SegmentFormat.TryParseName(path, out var sequence);
            if (header.Sequence != sequence) throw new StoreCorruptException(path, 0, $"the segment says it is number {header.Sequence}");
            identity ??= header.Identity;
            if (header.Identity != identity) throw new StoreCorruptException(path, 0, "the segment belongs to another store");
            if (next == 0 && header.FirstIndex > snapshotIndex + 1)
                throw new StoreCorruptException(path, 0, $"the log begins at record {header.FirstIndex}, the snapshot ends at {snapshotIndex}: records between are missing");
            if (next != 0 && header.FirstIndex != next) throw new StoreCorruptException(path, 0, $"record {next} expected first, {header.FirstIndex} found");
            next = header.FirstIndex;

            var segment = new Segment(path, sequence, header.FirstIndex);
            using (var reader = new SegmentReader(file, path))
            {
                while (reader.Next(next) is { } record)
                {
                    if (record.Index > snapshotIndex) replay(record);
                    next++;
                }

                _position = reader.Position;
            }

            segment.Bytes = _position - SegmentFormat.HeaderSize;
            _segments.Add(segment);
            if (!last)
            {
                file.Dispose();
                continue;
            }

            CutTail(file, path);
        }

        if (next != 0 && next - 1 < snapshotIndex)
            throw new StoreCorruptException(_directory, 0, $"the log ends at record {next - 1}, before the snapshot's {snapshotIndex}");
        if (next != 0) DurableIndex = next - 1;
        Identity = identity ?? Identity;
        if (_file is null && _segments.Count > 0) ReopenLast();
    }

    /// <summary>Zeros whatever follows the last whole record and makes all replayed records durable: after kill -9 they may be in the page cache only.</summary>
    private void CutTail(IStoreFile file, string path)
    {
        var length = file.Length;
        var torn = length > _position && !ZeroFrom(file, _position);
        if (torn)
        {
            file.SetLength(_position);
            file.Sync();
        }

        // Whole blocks, for the last batch's last block is written whole.
        _capacity = Math.Max(Math.Min(length & -AlignedBuffer.BlockSize, _segmentSize), _position);
        try
        {
            if (torn) file.Allocate(_capacity);
        }
        catch (DiskFullException)
        {
            _capacity = _position; // the next batch rolls, and is refused while the disk is full
        }

        file.Sync();
        _file = file;
        var block = new byte[_position % AlignedBuffer.BlockSize];
        TornTail.ReadFully(file, block, _position - block.Length);
        BeginBlock(block);
    }

    private void ReopenLast()
    {
        var segment = _segments[^1];
        _position = SegmentFormat.HeaderSize + segment.Bytes;
        CutTail(_files.Open(segment.Path, create: false), segment.Path);
    }

    private static bool ZeroFrom(IStoreFile file, long offset)
    {
        var buffer = new byte[1 << 16];
        while (true)
        {
            var read = file.Read(buffer, offset);
            if (read == 0) return true;
            if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0) return false;
            offset += read;
        }
    }

    private sealed class Segment(string path, ulong sequence, ulong firstIndex)
    {
        public string Path { get; } = path;
        public ulong Sequence { get; } = sequence;
        public ulong FirstIndex { get; } = firstIndex;
        public long Bytes { get; set; }
    }
}
