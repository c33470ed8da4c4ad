using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Mesh.NodeAgent.Streaming.Spdy;

/// <summary>
/// Header blocks of one direction of a SPDY connection: one zlib stream over all blocks. What we send is stored, not compressed: header
/// blocks here are a hundred bytes.
/// </summary>
internal sealed class HeaderWriter
{
    private bool begun;

    public byte[] Write(IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        using var plain = new MemoryStream();
        Number(plain, headers.Count);
        foreach (var (name, value) in headers)
        {
            Text(plain, name.ToLowerInvariant());
            Text(plain, value);
        }

        using var block = new MemoryStream();
        if (!begun)
        {
            // zlib header with a preset dictionary, and which one.
            block.Write([0x78, 0xBB]);
            Span<byte> checksum = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(checksum, HeaderDictionary.Checksum);
            block.Write(checksum);
            begun = true;
        }

        // A deflate block of type "stored": length, its complement, the bytes.
        var length = (ushort)plain.Length;
        block.Write([0, (byte)length, (byte)(length >> 8), (byte)~length, (byte)(~length >> 8)]);
        plain.WriteTo(block);
        // A sync flush (an empty stored block): Go's inflate hands out what it has only at one, and takes the end of the input for an error that lasts.
        block.Write([0, 0, 0, 0xFF, 0xFF]);
        return block.ToArray();
    }

    private static void Number(Stream to, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        to.Write(bytes);
    }

    private static void Text(Stream to, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Number(to, bytes.Length);
        to.Write(bytes);
    }
}

/// <summary>
/// Reads header blocks of one direction. .NET has no inflate with a preset dictionary, so the dictionary is fed first, as a stored block:
/// afterwards the window is what a dictionary would have made it.
/// </summary>
internal sealed class HeaderReader : IDisposable
{
    private const int MaxBlock = 1 << 20;
    private readonly Feed feed = new();
    private readonly DeflateStream inflate;
    private bool begun;

    public HeaderReader() => inflate = new DeflateStream(feed, CompressionMode.Decompress);

    public void Dispose() => inflate.Dispose();

    public IReadOnlyList<KeyValuePair<string, string>> Read(ReadOnlySpan<byte> block)
    {
        if (!begun)
        {
            if (block.Length < 6 || (block[1] & 0x20) == 0 || BinaryPrimitives.ReadUInt32BigEndian(block[2..]) != HeaderDictionary.Checksum)
                throw new InvalidDataException("SPDY header block without SPDY's dictionary");
            block = block[6..];
            var dictionary = HeaderDictionary.Bytes;
            var length = (ushort)dictionary.Length;
            feed.Add([0, (byte)length, (byte)(length >> 8), (byte)~length, (byte)(~length >> 8)]);
            feed.Add(dictionary);
            Drain();
            begun = true;
        }

        feed.Add(block.ToArray());
        return Parse(Drain());
    }

    private byte[] Drain()
    {
        using var plain = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = inflate.Read(buffer)) > 0)
        {
            plain.Write(buffer, 0, count);
            if (plain.Length > MaxBlock)
                throw new InvalidDataException("SPDY header block is too large");
        }

        return plain.ToArray();
    }

    private static List<KeyValuePair<string, string>> Parse(byte[] plain)
    {
        var rest = plain.AsSpan();
        var count = Number(ref rest);
        var headers = new List<KeyValuePair<string, string>>();
        for (var i = 0; i < count; i++)
            headers.Add(new(Text(ref rest), Text(ref rest)));
        return headers;
    }

    private static int Number(ref Span<byte> rest)
    {
        if (rest.Length < 4)
            throw new InvalidDataException("SPDY header block ends early");
        var value = BinaryPrimitives.ReadInt32BigEndian(rest);
        rest = rest[4..];
        return value;
    }

    private static string Text(ref Span<byte> rest)
    {
        var length = Number(ref rest);
        if (length < 0 || length > rest.Length)
            throw new InvalidDataException("SPDY header block ends early");
        var value = Encoding.UTF8.GetString(rest[..length]);
        rest = rest[length..];
        return value;
    }

    /// <summary>What was put in comes out; empty means "no more for now", which inflate takes for the end and asks again next time.</summary>
    private sealed class Feed : Stream
    {
        private readonly Queue<byte[]> parts = new();
        private int offset;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public void Add(byte[] part) => parts.Enqueue(part);

        public override int Read(Span<byte> buffer)
        {
            if (!parts.TryPeek(out var part))
                return 0;
            var count = Math.Min(buffer.Length, part.Length - offset);
            part.AsSpan(offset, count).CopyTo(buffer);
            offset += count;
            if (offset == part.Length)
            {
                parts.Dequeue();
                offset = 0;
            }

            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
