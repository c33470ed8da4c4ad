using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>Cuts the DATA of one stream into messages: a flag, a length of four bytes, and so many bytes.</summary>
/// <param name="pooled">Messages are in arrays of the pool, which whoever takes them gives back; else each is an array of its own.</param>
internal sealed class MessageAssembler(bool pooled = false)
{
    private const int PrefixSize = 5;
    private readonly byte[] _prefix = new byte[PrefixSize];
    private int _prefixFilled;
    private byte[]? _message;
    private int _length;
    private int _filled;

    /// <summary>Whether the data so far ends with a whole message.</summary>
    public bool AtBoundary => _prefixFilled == 0 && _message is null;

    /// <summary>The next message from the data, if it is whole; the rest stays in <paramref name="data"/>. Throws <see cref="RpcException"/>.</summary>
    public bool Next(ref ReadOnlySpan<byte> data, string? encoding, int limit, out ArraySegment<byte> message)
    {
        message = default;
        if (_message is null)
        {
            var take = Math.Min(PrefixSize - _prefixFilled, data.Length);
            data[..take].CopyTo(_prefix.AsSpan(_prefixFilled));
            _prefixFilled += take;
            data = data[take..];
            if (_prefixFilled < PrefixSize) return false;
            var length = BinaryPrimitives.ReadUInt32BigEndian(_prefix.AsSpan(1));
            if (length > limit) throw new RpcException(new Status(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size."));
            _message = length == 0 ? [] : pooled ? ArrayPool<byte>.Shared.Rent((int)length) : GC.AllocateUninitializedArray<byte>((int)length);
            (_length, _filled) = ((int)length, 0);
        }

        var count = Math.Min(_length - _filled, data.Length);
        data[..count].CopyTo(_message.AsSpan(_filled));
        _filled += count;
        data = data[count..];
        if (_filled < _length) return false;
        message = new ArraySegment<byte>(_message, 0, _length);
        if (_prefix[0] != 0) message = Decompress(message, encoding, limit, pooled);
        (_message, _prefixFilled) = (null, 0);
        return true;
    }

    private static ArraySegment<byte> Decompress(ArraySegment<byte> message, string? encoding, int limit, bool pooled)
    {
        if (encoding is not "gzip") throw new RpcException(new Status(StatusCode.Unimplemented, $"Unsupported grpc-encoding value '{encoding}'. Supported encodings: identity, gzip"));
        using var gzip = new GZipStream(new MemoryStream(message.Array!, 0, message.Count), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            for (int read; (read = gzip.Read(buffer)) > 0;)
            {
                if (plain.Length + read > limit) throw new RpcException(new Status(StatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size."));
                plain.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "the message is no gzip: " + e.Message));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (!pooled) return plain.ToArray();
        ArrayPool<byte>.Shared.Return(message.Array!);
        var rented = ArrayPool<byte>.Shared.Rent((int)plain.Length);
        plain.GetBuffer().AsSpan(0, (int)plain.Length).CopyTo(rented);
        return new ArraySegment<byte>(rented, 0, (int)plain.Length);
    }
}
