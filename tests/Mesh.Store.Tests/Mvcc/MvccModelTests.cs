using Google.Protobuf;
using Mesh.Store.Tests.Support;
using Mesh.Store.Wire;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Mvcc;

/// <summary>The engine against a model that keeps a full copy of the map per revision, through restarts, snapshots and compactions.</summary>
public class MvccModelTests
{
    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    public async Task Every_readable_revision_is_as_the_model_has_it(int seed)
    {
        var random = new Random(seed);
        var files = new MemoryFiles();
        var engine = Kv.Open(files);
        var model = new Model();
        try
        {
            for (var step = 0; step < 1500; step++)
            {
                var key = "k" + random.Next(30);
                switch (random.Next(20))
                {
                    case < 9:
                        await engine.PutAsync(key, $"v{step}");
                        model.Put(key, $"v{step}");
                        break;
                    case < 12:
                        Assert.Equal(model.Delete(key, "k" + (char)('0' + random.Next(10))), (await engine.DeleteAsync(key, model.LastEnd)).Deleted);
                        break;
                    case < 17:
                        await Txn(engine, model, random, step);
                        break;
                    case 17 when step % 5 == 0:
                        var target = model.CompactRevision + random.NextInt64(Math.Max(1, model.Revision - model.CompactRevision));
                        if (target <= Math.Max(0, model.CompactRevision)) break;
                        await engine.CompactAsync(target, physical: random.Next(2) == 0);
                        model.CompactRevision = target;
                        break;
                    case 18 when step % 7 == 0:
                        await engine.SnapshotAsync();
                        break;
                    case 19 when step % 3 == 0:
                        await engine.DisposeAsync();
                        engine = Kv.Open(files);
                        break;
                }

                Assert.Equal(model.Revision, engine.Store.Published.Revision);
                if (step % 25 == 0) Compare(engine, model, random);
            }

            Compare(engine, model, random);
            await engine.PutAsync("k1", "last"); // a deletion at the compacted revision would stay for watches
            model.Put("k1", "last");
            await engine.CompactAsync(model.Revision, physical: true);
            Assert.Equal(model.At(model.Revision).Count, engine.Store.KeyCount);
            var live = engine.Get("\0", "\0").Kvs.Sum(v => v.Footprint);
            Assert.InRange(engine.Store.SizeInBytes, live, live + 160 * 5);
        }
        finally
        {
            await engine.DisposeAsync();
        }
    }

    private static async Task Txn(StoreEngine engine, Model model, Random random, int step)
    {
        var probe = "k" + random.Next(30);
        var number = random.Next(3);
        var txn = new Pb.TxnRequest
        {
            Compare = { new Pb.Compare { Key = ByteString.CopyFromUtf8(probe), Target = Pb.Compare.Types.CompareTarget.Version, Result = Pb.Compare.Types.CompareResult.Greater, Version = number } },
            Success = { Put("k1", $"t{step}"), Delete("k2", "k25"), Range("k", "l"), Put("k7", $"t{step}") },
            Failure = { Range("k", "l") },
        };
        var holds = (model.At(model.Revision).TryGetValue(probe, out var item) ? item.Version : 0) > number;
        var reply = await engine.TxnAsync(txn);
        Assert.Equal(holds, reply.Succeeded);
        if (holds) model.Batch([("k1", $"t{step}"), ("k7", $"t{step}")], "k2", "k25");
        var range = reply.Responses.OfType<RangeReply>().Single();
        Assert.Equal(model.At(model.Revision).Count - (holds && !model.HadK7 ? 1 : 0), range.Count);
    }

    private static void Compare(StoreEngine engine, Model model, Random random)
    {
        for (var i = 0; i < 5; i++)
        {
            var revision = i == 0 ? model.Revision : 1 + random.NextInt64(model.Revision);
            if (revision < model.CompactRevision)
            {
                Assert.Contains("compacted", Assert.Throws<StoreException>(() => engine.Get("a", "\0", revision)).Message, StringComparison.Ordinal);
                continue;
            }

            var expected = string.Join('\n', model.At(revision).Select(p => $"{p.Key}={p.Value.Value}@{p.Value.Mod}/{p.Value.Create}/{p.Value.Version}/0"));
            Assert.Equal(expected, engine.Dump(revision));
        }
    }

    private static Pb.RequestOp Put(string key, string value) => new() { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value) } };

    private static Pb.RequestOp Delete(string key, string end) => new() { RequestDeleteRange = new Pb.DeleteRangeRequest { Key = ByteString.CopyFromUtf8(key), RangeEnd = ByteString.CopyFromUtf8(end) } };

    private static Pb.RequestOp Range(string key, string end) => new() { RequestRange = new Pb.RangeRequest { Key = ByteString.CopyFromUtf8(key), RangeEnd = ByteString.CopyFromUtf8(end) } };

    private sealed record Item(string Value, long Mod, long Create, long Version);

    private sealed class Model
    {
        private readonly List<SortedDictionary<string, Item>> _revisions = [new(StringComparer.Ordinal), new(StringComparer.Ordinal)];

        public long Revision => _revisions.Count - 1;

        public long CompactRevision { get; set; } = -1;

        public string LastEnd { get; private set; } = "";

        public bool HadK7 { get; private set; }

        public SortedDictionary<string, Item> At(long revision) => _revisions[(int)revision];

        public void Put(string key, string value) => Batch([(key, value)], null, null);

        public long Delete(string key, string end)
        {
            LastEnd = end;
            var gone = At(Revision).Keys.Where(k => string.CompareOrdinal(k, key) >= 0 && string.CompareOrdinal(k, end) < 0).ToList();
            if (gone.Count > 0) Batch([], key, end);
            return gone.Count;
        }

        public void Batch((string Key, string Value)[] puts, string? deleteFrom, string? deleteTo)
        {
            var before = At(Revision);
            HadK7 = before.ContainsKey("k7");
            var next = new SortedDictionary<string, Item>(before, StringComparer.Ordinal);
            var revision = Revision + 1;
            if (deleteFrom is not null)
            {
                foreach (var key in before.Keys.Where(k => string.CompareOrdinal(k, deleteFrom) >= 0 && string.CompareOrdinal(k, deleteTo) < 0)) next.Remove(key);
            }

            foreach (var (key, value) in puts)
            {
                var old = next.GetValueOrDefault(key);
                next[key] = new Item(value, revision, old?.Create ?? revision, (old?.Version ?? 0) + 1);
            }

            _revisions.Add(next);
        }
    }
}
