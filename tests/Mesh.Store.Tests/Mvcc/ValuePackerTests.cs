using System.Text;
using Mesh.Rpc.Wire;
using Mesh.Store.Mvcc;
using Mesh.Store.Wire;

namespace Mesh.Store.Tests.Mvcc;

public class ValuePackerTests
{
    private static readonly string s_alike = string.Join(' ', Enumerable.Range(0, 1500));

    /// <summary>Values that were put long ago are held packed, and every way to read them gives what was put.</summary>
    [Fact]
    public async Task Old_values_are_packed_and_read_as_they_were()
    {
        var store = new MvccStore(new Mesh.Store.Leases.Lessor(TimeProvider.System));
        const int Count = 4000;
        for (var i = 0; i < Count; i++)
        {
            var writer = store.BeginWrite();
            writer.Put(new PutRequest { Key = Key(i), Value = Value(i) });
            writer.End();
            store.Publish();
        }

        var deadline = DateTime.UtcNow.AddSeconds(60);
        while (Packed() < Count / 4 && DateTime.UtcNow < deadline) await Task.Delay(20);
        Assert.True(Packed() >= Count / 4, $"{Packed()} of {Count} are packed");
        for (var i = 0; i < Count; i += 7)
        {
            var reply = store.Range(new RangeRequest { Key = Key(i) });
            var version = Assert.Single(reply.Kvs);
            Assert.True(version.Value.AsSpan().SequenceEqual(Value(i)));
            var bytes = new byte[reply.Size];
            var writer = new ProtoWriter(bytes);
            reply.Write(ref writer);
            Assert.Equal(bytes.Length, writer.Written);
            Assert.True(bytes.AsSpan().IndexOf(Value(i)) > 0);
        }

        int Packed() => store.Range(new RangeRequest { Key = Key(0), End = Encoding.UTF8.GetBytes("/registry/pods0") }).Kvs.Count(static v => v.IsPacked);
    }

    private static byte[] Key(int index) => Encoding.UTF8.GetBytes($"/registry/pods/default/p{index:d6}");

    private static byte[] Value(int index) => Encoding.UTF8.GetBytes($"{{\"name\":\"{index}\",\"text\":\"{s_alike}\"}}");
}
