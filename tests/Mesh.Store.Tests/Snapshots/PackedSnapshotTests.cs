using Google.Protobuf;
using Mesh.Store.Tests.Support;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Snapshots;

/// <summary>Values that are held packed in memory: on disk, after a restart and in comparisons they are what was put.</summary>
public class PackedSnapshotTests
{
    private const int Count = 1500;
    private static readonly string s_alike = string.Join(' ', Enumerable.Range(0, 2000));

    [Fact]
    public async Task Packed_values_are_written_compared_and_come_back_as_they_were()
    {
        var files = new MemoryFiles();
        string before, past;
        await using (var engine = Kv.Open(files, change: static o => o.SegmentBytes = 4 << 20))
        {
            for (var i = 0; i < Count; i++) await engine.PutAsync(Key(i), Value(i, "first"));
            await Eventually.True(() => Packed(engine) > 100, "old values are packed", seconds: 60);
            var middle = engine.Store.Published.Revision;
            await engine.SnapshotAsync();

            var replaced = await engine.PutAsync(Key(1), Value(1, "second"), prev: true);
            Assert.Equal(Value(1, "first"), Kv.S(replaced.Previous!.Value));
            Assert.True((await engine.TxnAsync(IfEqual(2, Value(2, "first")))).Succeeded);
            Assert.False((await engine.TxnAsync(IfEqual(3, Value(3, "other")))).Succeeded);
            before = engine.Dump();
            past = engine.Dump(middle);
            Assert.Contains(Value(Count - 1, "first"), past, StringComparison.Ordinal);

            await using var again = Kv.Open(files.Copy());
            Assert.Equal(before, again.Dump());
            Assert.Equal(past, again.Dump(middle));
            await engine.SnapshotAsync();
        }

        await using var last = Kv.Open(files);
        Assert.Equal(before, last.Dump());
        await Eventually.True(() => Packed(last) > 100, "what recovery read is packed", seconds: 60);
        Assert.Equal(before, last.Dump());
    }

    private static Pb.TxnRequest IfEqual(int index, string value) => new()
    {
        Compare = { new Pb.Compare { Key = ByteString.CopyFromUtf8(Key(index)), Target = Pb.Compare.Types.CompareTarget.Value, Result = Pb.Compare.Types.CompareResult.Equal, Value = ByteString.CopyFromUtf8(value) } },
        Success = { new Pb.RequestOp { RequestPut = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(Key(index)), IgnoreValue = true } } },
    };

    private static int Packed(StoreEngine engine) => engine.Get("/registry/pods/", "/registry/pods0").Kvs.Count(static v => v.IsPacked);

    private static string Key(int index) => $"/registry/pods/default/p{index:d5}";

    private static string Value(int index, string round) => $"{{\"name\":\"{index}\",\"round\":\"{round}\",\"text\":\"{s_alike}\"}}";
}
