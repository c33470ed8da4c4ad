using System.Buffers;
using Mesh.Store.Files;

namespace Mesh.Store.Wal;

/// <summary>Reads a segment's records in order and says where they end, and whether the end is honest.</summary>
internal sealed class SegmentReader : IDisposable
{
    private const int Window = 1 << 18;
    private readonly IStoreFile _file;
    private readonly string _path;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Window);
    private long _start;  // file offset of _buffer[0]
    private int _filled;

    public SegmentReader(IStoreFile file, string path)
    {
        _file = file;
        _path = path;
        Position = SegmentFormat.HeaderSize;
    }

    /// <summary>Where the next record begins; after the last one, where the next is to be written.</summary>
    public long Position { get; private set; }

    /// <summary>
    /// The next record, or null at the end. Bytes after the end that a crash may have left (a torn write) end the log;
    /// any other bytes throw <see cref="StoreCorruptException"/>.
    /// </summary>
    public LogRecord? Next(ulong expectedIndex)
    {
        var head = Peek(RecordFormat.HeaderSize);
        if (!RecordFormat.TryReadHeader(head, out var header))
        {
            if (!RestIsZero()) TornTail.EnsureTorn(_file, _path, Position, expectedIndex, null);
            return null;
        }

        if (header.Index != expectedIndex) throw new StoreCorruptException(_path, Position, $"record {expectedIndex} expected, {header.Index} found");
        var record = Peek(RecordFormat.SizeOnDisk(header.Length));
        if (!RecordFormat.BodyHolds(header, record))
        {
            TornTail.EnsureTorn(_file, _path, Position, expectedIndex, header);
            return null;
        }

        var payload = record.Slice(RecordFormat.HeaderSize, header.Length).ToArray();
        Position += RecordFormat.SizeOnDisk(header.Length);
        return new LogRecord(header.Type, header.Index, payload);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private ReadOnlySpan<byte> Peek(int count)
    {
        if (Position < _start || Position + count > _start + _filled)
        {
            if (_buffer.Length < count)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = ArrayPool<byte>.Shared.Rent(count);
            }

            _start = Position;
            _filled = TornTail.ReadFully(_file, _buffer, Position);
        }

        var at = (int)(Position - _start);
        return _buffer.AsSpan(at, Math.Min(count, _filled - at));
    }

    private bool RestIsZero()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Window);
        try
        {
            for (var offset = Position; ;)
            {
                var read = _file.Read(buffer, offset);
                if (read == 0) return true;
                if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0) >= 0) return false;
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
