using System.Globalization;
using System.Text;

namespace Mesh.Rpc.Lean;

/// <summary>
/// Encodes request header blocks (HPACK). What every request has goes into the peer's table at its first use, so do the paths; a request's block is then
/// the same seven bytes each time, and kept. Nothing is ever evicted: what would not fit is sent as it is.
/// </summary>
internal sealed class RequestBlocks(string authority, bool secure)
{
    private const int FirstDynamic = 62;
    private const int MaxEntries = 60; // an index of one byte
    private const int StaticAuthority = 1;
    private const int StaticPath = 4;
    private const int StaticContentType = 31;
    private const int StaticUserAgent = 58;

    private readonly Dictionary<(string Name, string Value), int> _indexed = []; // to the place of insertion
    private readonly Dictionary<string, (int Entries, byte[] Block)> _known = [];
    private byte[] _block = new byte[256];
    private int _length;
    private int _used;
    private bool _mayIndex = true;
    private bool _mustClear;

    /// <summary>The peer's table size: one smaller than the default is not used at all.</summary>
    public void Limit(int tableSize)
    {
        if (tableSize >= HpackDecoder.TableSize) return;
        _mustClear |= _indexed.Count > 0;
        _mayIndex = false;
        _indexed.Clear();
        _known.Clear();
    }

    /// <summary>The block of a request; valid until the next.</summary>
    public ReadOnlySpan<byte> Request(string path, TimeSpan? timeout, string? authorization, IReadOnlyList<(string Name, string Value)>? headers = null)
    {
        var plain = timeout is null && authorization is null && headers is null;
        if (plain && !_mustClear && _known.TryGetValue(path, out var known) && known.Entries == _indexed.Count) return known.Block;
        _length = 0;
        if (_mustClear) Add(0x20); // table size 0
        (_mustClear, var before) = (false, _indexed.Count);
        Add(0x83); // :method POST
        Add((byte)(secure ? 0x87 : 0x86)); // :scheme
        Field(StaticPath, ":path", path);
        Field(StaticAuthority, ":authority", authority);
        Field(StaticContentType, "content-type", "application/grpc");
        Field(0, "te", "trailers");
        Field(StaticUserAgent, "user-agent", "grpc-mesh/1.36");
        if (timeout is { } time)
        {
            Add(0x00);
            Text("grpc-timeout");
            Text(Timeout(time));
        }

        if (authorization is not null)
        {
            Add(0x10); // never indexed
            Text("authorization");
            Text(authorization);
        }

        foreach (var (name, value) in headers ?? [])
        {
            Add(0x00);
            Text(name);
            Text(value);
        }

        var block = _block.AsSpan(0, _length);
        if (plain && before == _indexed.Count && (_known.Count < MaxEntries || _known.ContainsKey(path))) _known[path] = (before, block.ToArray());
        return block;
    }

    /// <summary>grpc-timeout: at most eight digits and a unit.</summary>
    private static string Timeout(TimeSpan time)
    {
        var microseconds = Math.Max(1, (long)time.TotalMicroseconds);
        if (microseconds < 100_000_000) return microseconds.ToString(CultureInfo.InvariantCulture) + "u";
        var milliseconds = microseconds / 1000;
        if (milliseconds < 100_000_000) return milliseconds.ToString(CultureInfo.InvariantCulture) + "m";
        return Math.Min(milliseconds / 1000, 99_999_999).ToString(CultureInfo.InvariantCulture) + "S";
    }

    private void Field(int staticName, string name, string value)
    {
        if (_indexed.TryGetValue((name, value), out var place))
        {
            Add((byte)(0x80 | (FirstDynamic + _indexed.Count - 1 - place)));
            return;
        }

        var size = name.Length + value.Length + 32;
        if (_mayIndex && _indexed.Count < MaxEntries && _used + size <= HpackDecoder.TableSize)
        {
            _indexed.Add((name, value), _indexed.Count);
            _used += size;
            Add((byte)(0x40 | staticName));
        }
        else if (staticName < 15)
        {
            Add((byte)staticName);
        }
        else
        {
            Add(0x0f);
            Add((byte)(staticName - 15));
        }

        if (staticName == 0) Text(name);
        Text(value);
    }

    private void Text(string text)
    {
        var bytes = Encoding.Latin1.GetByteCount(text);
        if (bytes < 127)
        {
            Add((byte)bytes);
        }
        else
        {
            Add(127);
            var rest = bytes - 127;
            for (; rest >= 128; rest >>= 7) Add((byte)(rest | 0x80));
            Add((byte)rest);
        }

        if (_length + bytes > _block.Length) Array.Resize(ref _block, Math.Max(_block.Length * 2, _length + bytes));
        _length += Encoding.Latin1.GetBytes(text, _block.AsSpan(_length));
    }

    private void Add(byte value)
    {
        if (_length == _block.Length) Array.Resize(ref _block, _length * 2);
        _block[_length++] = value;
    }
}
