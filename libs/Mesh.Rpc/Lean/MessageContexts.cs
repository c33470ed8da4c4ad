using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Mesh.Rpc.Lean;

/// <summary>A message on its way to a deserializer; the array is the deserializer's to keep.</summary>
internal sealed class IncomingMessage(byte[] message) : DeserializationContext
{
    public override int PayloadLength => message.Length;

    public override byte[] PayloadAsNewBuffer() => message;

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(message);
}

/// <summary>Takes one message from a serializer, behind its prefix, in a pooled array.</summary>
internal sealed class OutgoingMessage : SerializationContext, IBufferWriter<byte>
{
    private const int PrefixSize = 5;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>Serializes; the array comes from the pool and is the caller's.</summary>
    public (byte[] Buffer, int Length) Take<T>(T message, Action<T, SerializationContext> serializer)
    {
        (_buffer, _length) = ([], PrefixSize);
        try
        {
            serializer(message, this);
        }
        catch
        {
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            throw;
        }

        if (_buffer.Length == 0) _buffer = ArrayPool<byte>.Shared.Rent(PrefixSize);
        _buffer[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(1), _length - PrefixSize);
        var taken = (_buffer, _length);
        _buffer = [];
        return taken;
    }

    public override void SetPayloadLength(int payloadLength) => Room(payloadLength);

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void Complete(byte[] payload)
    {
        Room(payload.Length);
        payload.CopyTo(_buffer.AsSpan(_length));
        _length += payload.Length;
    }

    public override void Complete()
    {
    }

    public void Advance(int count) => _length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Room(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Room(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_length);
    }

    private void Room(int count)
    {
        if (_buffer.Length - _length >= count) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, _buffer.Length * 2));
        _buffer.AsSpan(0, Math.Min(_length, _buffer.Length)).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
