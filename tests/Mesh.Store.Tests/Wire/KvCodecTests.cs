using Google.Protobuf;
using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wal;
using Mesh.Store.Wire;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Wire;

/// <summary>The hand-written codecs against the generated ones, on random messages.</summary>
public class KvCodecTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Requests_decode_as_the_generated_ones_encode(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 500; i++)
        {
            var message = Txn(random, 3);
            var bytes = message.ToByteArray();
            Assert.Equal(message.ToString(), ToMessage(KvRequestDecoder.Txn(bytes)).ToString());
        }
    }

    [Fact]
    public void Replies_are_read_by_the_generated_parser()
    {
        var entry = new KeyEntry(Kv.B("key"));
        var old = new KeyVersion { Entry = entry, Data = Kv.B("xxoldxx"), ValueOffset = 2, ValueLength = 3, ModRevision = 300, CreateRevision = 2, Version = 7, Lease = -5 };
        var range = new RangeReply { Kvs = [old, old], More = true, Count = 999, Revision = 12 };
        var txn = new TxnReply { Succeeded = true, Revision = 13, Identity = new StoreIdentity(ulong.MaxValue, 1) };
        txn.Responses.AddRange([range, new PutReply { Previous = old, Revision = 13 }, new DeleteRangeReply { Deleted = 2, Previous = [old], Revision = 13 }, new TxnReply { Revision = 1 }]);
        var bytes = new byte[txn.Size];
        var writer = new ProtoWriter(bytes);
        txn.Write(ref writer);
        Assert.Equal(bytes.Length, writer.Written);

        var parsed = Pb.TxnResponse.Parser.ParseFrom(bytes);
        Assert.Equal(ulong.MaxValue, parsed.Header.ClusterId);
        Assert.Equal(1UL, parsed.Header.RaftTerm);
        Assert.True(parsed.Succeeded);
        var kv = parsed.Responses[0].ResponseRange.Kvs[1];
        Assert.Equal(("key", "old", 300L, 2L, 7L, -5L), (kv.Key.ToStringUtf8(), kv.Value.ToStringUtf8(), kv.ModRevision, kv.CreateRevision, kv.Version, kv.Lease));
        Assert.True(parsed.Responses[0].ResponseRange.More);
        Assert.Equal(999, parsed.Responses[0].ResponseRange.Count);
        Assert.Equal("old", parsed.Responses[1].ResponsePut.PrevKv.Value.ToStringUtf8());
        Assert.Equal(2, parsed.Responses[2].ResponseDeleteRange.Deleted);
        Assert.Single(parsed.Responses[2].ResponseDeleteRange.PrevKvs);
        Assert.Equal(1, parsed.Responses[3].ResponseTxn.Header.Revision);
    }

    [Fact]
    public void Any_bytes_decode_or_are_refused()
    {
        var random = new Random(5);
        var whole = Txn(new Random(6), 3).ToByteArray();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                _ = KvRequestDecoder.Txn(bytes.AsMemory(0, random.Next(bytes.Length + 1)));
            }
            catch (FormatException)
            {
                // the one refusal there is
            }
        }
    }

    private static Pb.TxnRequest Txn(Random random, int depth)
    {
        var txn = new Pb.TxnRequest();
        for (var i = random.Next(4); i > 0; i--)
        {
            var compare = new Pb.Compare { Key = Bytes(random), RangeEnd = Bytes(random), Result = (Pb.Compare.Types.CompareResult)random.Next(4) };
            switch (random.Next(5))
            {
                case 0: compare.Version = random.NextInt64() + 1; compare.Target = Pb.Compare.Types.CompareTarget.Version; break;
                case 1: compare.CreateRevision = random.NextInt64() + 1; compare.Target = Pb.Compare.Types.CompareTarget.Create; break;
                case 2: compare.ModRevision = random.NextInt64() + 1; compare.Target = Pb.Compare.Types.CompareTarget.Mod; break;
                case 3: compare.Value = ByteString.CopyFrom(1, 2, (byte)random.Next()); compare.Target = Pb.Compare.Types.CompareTarget.Value; break;
                default: compare.Lease = -random.NextInt64() - 1; compare.Target = Pb.Compare.Types.CompareTarget.Lease; break;
            }

            txn.Compare.Add(compare);
        }

        for (var i = random.Next(4); i > 0; i--) txn.Success.Add(Op(random, depth));
        for (var i = random.Next(4); i > 0; i--) txn.Failure.Add(Op(random, depth));
        return txn;
    }

    private static Pb.RequestOp Op(Random random, int depth) => random.Next(depth > 0 ? 4 : 3) switch
    {
        0 => new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = Bytes(random), Value = Bytes(random), Lease = random.Next(3), PrevKv = random.Next(2) == 0, IgnoreLease = random.Next(2) == 0, IgnoreValue = random.Next(2) == 0 } },
        1 => new Pb.RequestOp { RequestDeleteRange = new Pb.DeleteRangeRequest { Key = Bytes(random), RangeEnd = Bytes(random), PrevKv = random.Next(2) == 0 } },
        2 => new Pb.RequestOp
        {
            RequestRange = new Pb.RangeRequest
            {
                Key = Bytes(random),
                RangeEnd = Bytes(random),
                Limit = random.Next(3),
                Revision = random.NextInt64(),
                SortOrder = (Pb.RangeRequest.Types.SortOrder)random.Next(3),
                SortTarget = (Pb.RangeRequest.Types.SortTarget)random.Next(5),
                KeysOnly = random.Next(2) == 0,
                CountOnly = random.Next(2) == 0,
                MinModRevision = random.Next(3),
                MaxModRevision = random.Next(3),
                MinCreateRevision = random.Next(3),
                MaxCreateRevision = random.Next(3),
            },
        },
        _ => new Pb.RequestOp { RequestTxn = Txn(random, depth - 1) },
    };

    private static Pb.TxnRequest ToMessage(TxnRequest txn)
    {
        var message = new Pb.TxnRequest();
        foreach (var c in txn.Compares)
        {
            var compare = new Pb.Compare { Key = Copy(c.Key), RangeEnd = Copy(c.End), Result = (Pb.Compare.Types.CompareResult)c.Result, Target = (Pb.Compare.Types.CompareTarget)c.Target };
            switch (c.Target)
            {
                case CompareTarget.Version: compare.Version = c.Number; break;
                case CompareTarget.Create: compare.CreateRevision = c.Number; break;
                case CompareTarget.Mod: compare.ModRevision = c.Number; break;
                case CompareTarget.Value: compare.Value = Copy(c.Value); break;
                default: compare.Lease = c.Number; break;
            }

            message.Compare.Add(compare);
        }

        message.Success.AddRange(txn.Success.Select(ToOp));
        message.Failure.AddRange(txn.Failure.Select(ToOp));
        return message;
    }

    private static Pb.RequestOp ToOp(KvRequest request) => request switch
    {
        PutRequest p => new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = Copy(p.Key), Value = Copy(p.Value), Lease = p.Lease, PrevKv = p.PrevKv, IgnoreLease = p.IgnoreLease, IgnoreValue = p.IgnoreValue } },
        DeleteRangeRequest d => new Pb.RequestOp { RequestDeleteRange = new Pb.DeleteRangeRequest { Key = Copy(d.Key), RangeEnd = Copy(d.End), PrevKv = d.PrevKv } },
        RangeRequest r => new Pb.RequestOp
        {
            RequestRange = new Pb.RangeRequest
            {
                Key = Copy(r.Key),
                RangeEnd = Copy(r.End),
                Limit = r.Limit,
                Revision = r.Revision,
                SortOrder = (Pb.RangeRequest.Types.SortOrder)r.Order,
                SortTarget = (Pb.RangeRequest.Types.SortTarget)r.Target,
                KeysOnly = r.KeysOnly,
                CountOnly = r.CountOnly,
                MinModRevision = r.MinMod,
                MaxModRevision = r.MaxMod,
                MinCreateRevision = r.MinCreate,
                MaxCreateRevision = r.MaxCreate,
            },
        },
        TxnRequest t => new Pb.RequestOp { RequestTxn = ToMessage(t) },
        _ => throw new InvalidOperationException(),
    };

    private static ByteString Copy(ReadOnlyMemory<byte> bytes) => ByteString.CopyFrom(bytes.Span);

    private static ByteString Bytes(Random random)
    {
        var bytes = new byte[random.Next(20)];
        random.NextBytes(bytes);
        return ByteString.CopyFrom(bytes);
    }
}
