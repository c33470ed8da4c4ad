using System.Globalization;
using System.Text;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>
/// Encodes response header blocks (HPACK). Two fields are worth a place in the peer's table: the content type and the status of success;
/// after their first use an answer's headers are two bytes and its trailers one.
/// </summary>
internal sealed class HeaderBlocks
{
    private const byte Status200 = 0x88;
    private const int FirstDynamic = 62;

    private byte[] _block = new byte[128];
    private int _length;
    private bool _mayIndex = true;
    private bool _mustClear;
    private bool _typeIndexed;
    private bool _successIndexed;

    /// <summary>The peer's table size: one smaller than the default is not used at all.</summary>
    public void Limit(int tableSize)
    {
        if (tableSize >= HpackDecoder.TableSize) return;
        _mustClear |= _typeIndexed || _successIndexed;
        (_mayIndex, _typeIndexed, _successIndexed) = (false, false, false);
    }

    public ReadOnlySpan<byte> Response(Metadata? headers)
    {
        Begin();
        Add(Status200);
        ContentType();
        foreach (var entry in headers ?? Metadata.Empty) Field(entry);
        return _block.AsSpan(0, _length);
    }

    public ReadOnlySpan<byte> Trailers(Status status, Metadata trailers)
    {
        Begin();
        Outcome(status, trailers);
        return _block.AsSpan(0, _length);
    }

    public ReadOnlySpan<byte> TrailersOnly(Status status, Metadata trailers)
    {
        Begin();
        Add(Status200);
        ContentType();
        Outcome(status, trailers);
        return _block.AsSpan(0, _length);
    }

    public static byte[] Plain(int status, string contentType, int length)
    {
        var blocks = new HeaderBlocks();
        blocks.Field(":status", status.ToString(CultureInfo.InvariantCulture));
        blocks.Field("content-type", contentType);
        blocks.Field("content-length", length.ToString(CultureInfo.InvariantCulture));
        return blocks._block[..blocks._length];
    }

    private void Begin()
    {
        _length = 0;
        if (!_mustClear) return;
        Add(0x20); // table size 0
        _mustClear = false;
    }

    private void ContentType()
    {
        if (_typeIndexed)
        {
            Add((byte)(0x80 | (FirstDynamic + (_successIndexed ? 1 : 0))));
            return;
        }

        if (_mayIndex)
        {
            Add(0x40);
            _typeIndexed = true;
        }
        else
        {
            Add(0x00);
        }

        Text("content-type"u8);
        Text("application/grpc"u8);
    }

    private void Outcome(Status status, Metadata trailers)
    {
        if (status.StatusCode == StatusCode.OK)
        {
            // The type is in the table first, always: it was in the headers.
            if (_successIndexed)
            {
                Add(0x80 | FirstDynamic);
            }
            else
            {
                Add((byte)(_mayIndex ? 0x40 : 0x00));
                _successIndexed = _mayIndex;
                Text("grpc-status"u8);
                Text("0"u8);
            }
        }
        else
        {
            Field("grpc-status", ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture));
        }

        if (!string.IsNullOrEmpty(status.Detail)) Field("grpc-message", PercentEncode(status.Detail));
        foreach (var entry in trailers) Field(entry);
    }

    private void Field(Metadata.Entry entry) => Field(entry.Key, entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value);

    private void Field(string name, string value)
    {
        Add(0x00);
        Text(Encoding.ASCII.GetBytes(name));
        Text(Encoding.Latin1.GetBytes(value));
    }

    private void Text(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 127)
        {
            Add((byte)bytes.Length);
        }
        else
        {
            Add(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7) Add((byte)(rest | 0x80));
            Add((byte)rest);
        }

        if (_length + bytes.Length > _block.Length) Array.Resize(ref _block, Math.Max(_block.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_block.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Add(byte value)
    {
        if (_length == _block.Length) Array.Resize(ref _block, _length * 2);
        _block[_length++] = value;
    }

    /// <summary>grpc-message: everything but printable ASCII, and the percent sign, as %XX of its UTF-8.</summary>
    private static string PercentEncode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%') encoded.Append((char)b);
            else encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return encoded.ToString();
    }
}
