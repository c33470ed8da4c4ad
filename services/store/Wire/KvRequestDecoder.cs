using Mesh.Rpc.Wire;

namespace Mesh.Store.Wire;

/// <summary>Decodes KV requests; keys and values are slices of the message. Field numbers: wire facts in rpc.proto.</summary>
internal static class KvRequestDecoder
{
    private const int MaxDepth = 32;

    public static RangeRequest Range(ReadOnlyMemory<byte> message)
    {
        var request = new RangeRequest();
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: request.Key = reader.Bytes(); break;
                case 2: request.End = reader.Bytes(); break;
                case 3: request.Limit = reader.Int64(); break;
                case 4: request.Revision = reader.Int64(); break;
                case 5: request.Order = (SortOrder)reader.Int64(); break;
                case 6: request.Target = (SortTarget)reader.Int64(); break;
                case 8: request.KeysOnly = reader.Bool(); break;
                case 9: request.CountOnly = reader.Bool(); break;
                case 10: request.MinMod = reader.Int64(); break;
                case 11: request.MaxMod = reader.Int64(); break;
                case 12: request.MinCreate = reader.Int64(); break;
                case 13: request.MaxCreate = reader.Int64(); break;
                default: reader.Skip(); break;
            }
        }

        return request;
    }

    public static PutRequest Put(ReadOnlyMemory<byte> message)
    {
        var request = new PutRequest();
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: request.Key = reader.Bytes(); break;
                case 2: request.Value = reader.Bytes(); break;
                case 3: request.Lease = reader.Int64(); break;
                case 4: request.PrevKv = reader.Bool(); break;
                case 5: request.IgnoreValue = reader.Bool(); break;
                case 6: request.IgnoreLease = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return request;
    }

    public static DeleteRangeRequest DeleteRange(ReadOnlyMemory<byte> message)
    {
        var request = new DeleteRangeRequest();
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: request.Key = reader.Bytes(); break;
                case 2: request.End = reader.Bytes(); break;
                case 3: request.PrevKv = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }

        return request;
    }

    public static TxnRequest Txn(ReadOnlyMemory<byte> message) => Txn(message, 0);

    private static TxnRequest Txn(ReadOnlyMemory<byte> message, int depth)
    {
        if (depth > MaxDepth) throw new FormatException("transactions are nested too deeply");
        var request = new TxnRequest();
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: request.Compares.Add(Compare(reader.Bytes())); break;
                case 2: AddOp(request.Success, reader.Bytes(), depth); break;
                case 3: AddOp(request.Failure, reader.Bytes(), depth); break;
                default: reader.Skip(); break;
            }
        }

        return request;
    }

    private static void AddOp(List<KvRequest> ops, ReadOnlyMemory<byte> message, int depth)
    {
        KvRequest? op = null;
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: op = Range(reader.Bytes()); break;
                case 2: op = Put(reader.Bytes()); break;
                case 3: op = DeleteRange(reader.Bytes()); break;
                case 4: op = Txn(reader.Bytes(), depth + 1); break;
                default: reader.Skip(); break;
            }
        }

        ops.Add(op ?? throw new FormatException("an operation of the transaction is empty"));
    }

    private static Compare Compare(ReadOnlyMemory<byte> message)
    {
        var compare = new Compare();
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: compare.Result = (CompareResult)reader.Int64(); break;
                case 2: compare.Target = (CompareTarget)reader.Int64(); break;
                case 3: compare.Key = reader.Bytes(); break;
                case 4 or 5 or 6 or 8: compare.Number = reader.Int64(); break;
                case 7: compare.Value = reader.Bytes(); break;
                case 64: compare.End = reader.Bytes(); break;
                default: reader.Skip(); break;
            }
        }

        return compare;
    }
}
