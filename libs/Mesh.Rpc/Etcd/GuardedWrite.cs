using Mesh.Api.Codecs;
using Mesh.Rpc.Wire;

namespace Mesh.Rpc.Etcd;

/// <summary>
/// A transaction that puts or deletes one key if its modification revision is still the expected one, and else reads it. Encodes itself as
/// etcdserverpb.TxnRequest.
/// </summary>
public readonly struct GuardedWrite : IWireMessage
{
    /// <summary>KV.Txn.</summary>
    public const string Path = "/etcdserverpb.KV/Txn";

    private const int TargetMod = 2;
    private readonly string _key;
    private readonly int _keyLength;
    private readonly long _expected;
    private readonly long _lease;
    private readonly ReadOnlyMemory<byte> _value;
    private readonly bool _delete;

    private GuardedWrite(string key, long expected, bool delete, ReadOnlyMemory<byte> value, long lease)
    {
        (_key, _expected, _delete, _value, _lease) = (key, expected, delete, value, lease);
        _keyLength = ProtoWriter.TextSize(key);
    }

    /// <summary>Puts a value; expected 0: the key must not be there.</summary>
    public static GuardedWrite Put(string key, ReadOnlyMemory<byte> value, long expected, long lease = 0)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return new(key, expected, false, value, lease);
    }

    /// <summary>Deletes the key.</summary>
    public static GuardedWrite Delete(string key, long expected)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        return new(key, expected, true, default, 0);
    }

    /// <inheritdoc/>
    public int Size => ProtoWriter.MessageSize(CompareSize) + ProtoWriter.MessageSize(ProtoWriter.MessageSize(WriteSize)) + ProtoWriter.MessageSize(ProtoWriter.MessageSize(_keyLength));

    // A revision is a choice of a oneof: it is there even when it is 0.
    private int CompareSize => 2 + _keyLength + 1 + Varint.Size((ulong)_expected);

    private int WriteSize => _delete ? _keyLength : _keyLength + ProtoWriter.BytesSize(_value.Length) + ProtoWriter.Int64Size(_lease);

    /// <inheritdoc/>
    public void Write(Span<byte> to)
    {
        var writer = new ProtoWriter(to);
        writer.Message(1, CompareSize);
        writer.Int64(2, TargetMod);
        writer.Text(3, _key);
        writer.Int64Present(6, _expected);
        writer.Message(2, ProtoWriter.MessageSize(WriteSize));
        writer.Message(_delete ? 3 : 2, WriteSize);
        writer.Text(1, _key);
        if (!_delete)
        {
            writer.Bytes(2, _value.Span);
            writer.Int64(3, _lease);
        }

        writer.Message(3, ProtoWriter.MessageSize(_keyLength));
        writer.Message(1, _keyLength);
        writer.Text(1, _key);
    }
}
