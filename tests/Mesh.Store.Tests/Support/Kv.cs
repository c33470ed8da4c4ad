using System.Text;
using Google.Protobuf;
using Mesh.Store.Files;
using Mesh.Store.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Tests.Support;

/// <summary>Short forms for tests: text keys, requests through their wire form as clients send them.</summary>
internal static class Kv
{
    public static byte[] B(string text) => Encoding.UTF8.GetBytes(text);

    public static string S(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public static StoreEngine Open(IStoreFiles files, TimeProvider? time = null, Action<StoreOptions>? change = null)
    {
        var options = new StoreOptions { DataDir = "/db", SegmentBytes = 1 << 16, AutoCompaction = AutoCompactionMode.Off };
        change?.Invoke(options);
        return StoreEngine.Open(options, files, time ?? TimeProvider.System, NullLogger.Instance);
    }

    public static async Task<PutReply> PutAsync(this StoreEngine engine, string key, string value, long lease = 0, bool prev = false)
    {
        var payload = new Pb.PutRequest { Key = ByteString.CopyFromUtf8(key), Value = ByteString.CopyFromUtf8(value), Lease = lease, PrevKv = prev }.ToByteArray();
        return (PutReply)await engine.ProposeAsync(KvRequestDecoder.Put(payload), payload);
    }

    public static async Task<DeleteRangeReply> DeleteAsync(this StoreEngine engine, string key, string end = "")
    {
        var payload = new Pb.DeleteRangeRequest { Key = ByteString.CopyFromUtf8(key), RangeEnd = ByteString.CopyFromUtf8(end) }.ToByteArray();
        return (DeleteRangeReply)await engine.ProposeAsync(KvRequestDecoder.DeleteRange(payload), payload);
    }

    public static async Task<TxnReply> TxnAsync(this StoreEngine engine, Pb.TxnRequest txn)
    {
        var payload = txn.ToByteArray();
        return await engine.TxnAsync(KvRequestDecoder.Txn(payload), payload);
    }

    public static RangeReply Get(this StoreEngine engine, string key, string end = "", long revision = 0) =>
        engine.Store.Range(new RangeRequest { Key = B(key), End = B(end), Revision = revision });

    /// <summary>Everything at a revision as "key=value@mod/create/version" lines.</summary>
    public static string Dump(this StoreEngine engine, long revision = 0) =>
        string.Join('\n', engine.Get("\0", "\0", revision).Kvs.Select(v => $"{S(v.Entry.Key)}={S(v.Value)}@{v.ModRevision}/{v.CreateRevision}/{v.Version}/{v.Lease}"));
}
