using Mesh.Store.Mvcc;

namespace Mesh.Store.Wire;

/// <summary>A KV operation, alone or inside a transaction.</summary>
internal abstract class KvRequest;

/// <summary>Order of a range's answer.</summary>
internal enum SortOrder
{
    None,
    Ascend,
    Descend,
}

/// <summary>What a range's answer is ordered by.</summary>
internal enum SortTarget
{
    Key,
    Version,
    Create,
    Mod,
    Value,
}

/// <summary>etcdserverpb.RangeRequest.</summary>
internal sealed class RangeRequest : KvRequest
{
    public ReadOnlyMemory<byte> Key;
    public ReadOnlyMemory<byte> End;
    public long Limit;
    public long Revision;
    public SortOrder Order;
    public SortTarget Target;
    public bool KeysOnly;
    public bool CountOnly;
    public long MinMod;
    public long MaxMod;
    public long MinCreate;
    public long MaxCreate;

    public KeyRange Range => KeyRange.Of(Key, End);
}

/// <summary>etcdserverpb.PutRequest.</summary>
internal sealed class PutRequest : KvRequest
{
    public ReadOnlyMemory<byte> Key;
    public ReadOnlyMemory<byte> Value;
    public long Lease;
    public bool PrevKv;
    public bool IgnoreValue;
    public bool IgnoreLease;
}

/// <summary>etcdserverpb.DeleteRangeRequest.</summary>
internal sealed class DeleteRangeRequest : KvRequest
{
    public ReadOnlyMemory<byte> Key;
    public ReadOnlyMemory<byte> End;
    public bool PrevKv;

    public KeyRange Range => KeyRange.Of(Key, End);
}

/// <summary>etcdserverpb.Compare.CompareResult.</summary>
internal enum CompareResult
{
    Equal,
    Greater,
    Less,
    NotEqual,
}

/// <summary>etcdserverpb.Compare.CompareTarget.</summary>
internal enum CompareTarget
{
    Version,
    Create,
    Mod,
    Value,
    Lease,
}

/// <summary>etcdserverpb.Compare.</summary>
internal sealed class Compare
{
    public CompareResult Result;
    public CompareTarget Target;
    public ReadOnlyMemory<byte> Key;
    public ReadOnlyMemory<byte> End;
    public long Number;
    public ReadOnlyMemory<byte> Value;

    public KeyRange Range => KeyRange.Of(Key, End);
}

/// <summary>etcdserverpb.TxnRequest.</summary>
internal sealed class TxnRequest : KvRequest
{
    public readonly List<Compare> Compares = [];
    public readonly List<KvRequest> Success = [];
    public readonly List<KvRequest> Failure = [];

    /// <summary>Whether any branch, at any depth, may write.</summary>
    public bool MayWrite => Success.Exists(Writes) || Failure.Exists(Writes);

    private static bool Writes(KvRequest request) => request switch
    {
        PutRequest or DeleteRangeRequest => true,
        TxnRequest txn => txn.MayWrite,
        _ => false,
    };
}
