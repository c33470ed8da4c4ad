using System.Text;
using Google.Protobuf;
using Mesh.Gateway.Tests.Conformance;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Tests.Http;

/// <summary>
/// A gateway before whose first look at PodTemplates another had written them, changed them and taken some away: its cache knows only how it ended, what was
/// before is in the store alone.
/// </summary>
public class OldRevisions : GatewayHost
{
    /// <summary>More than the gateway takes of the store at a time.</summary>
    public const int Count = 1100;
    public const string Path = "/api/v1/namespaces/old/podtemplates";
    private const string Prefix = "/registry/podtemplates/old/";

    /// <summary>Size of an annotation of each.</summary>
    private protected virtual int Padding => 10;

    /// <summary>The revision at which there were <see cref="Count"/>, as they were made.</summary>
    public long Then { get; private set; }

    public static string Name(int index) => $"t{index:d4}";

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await PostAsync("/api/v1/namespaces", """{"metadata":{"name":"old"}}""");
        var kv = new KV.KVClient(StoreChannel);
        for (var i = 0; i < Count; i++) Then = await PutAsync(kv, i, "first");
        await ChangeAsync(kv);
    }

    /// <summary>Every third is changed, every fifth is gone, and there are new ones before, between and behind.</summary>
    private async Task ChangeAsync(KV.KVClient kv)
    {
        for (var i = 0; i < Count; i++)
        {
            if (i % 5 == 0) await kv.DeleteRangeAsync(new DeleteRangeRequest { Key = ByteString.CopyFromUtf8(Prefix + Name(i)) });
            else if (i % 3 == 0) await PutAsync(kv, i, "second");
        }

        foreach (var name in (string[])["a", "t0007-between", "z"]) await PutAsync(kv, name, "second");
    }

    private Task<long> PutAsync(KV.KVClient kv, int index, string image) => PutAsync(kv, Name(index), image);

    private async Task<long> PutAsync(KV.KVClient kv, string name, string image)
    {
        var json = $$$"""
            {"kind":"PodTemplate","apiVersion":"v1","metadata":{"name":"{{{name}}}","namespace":"old","uid":"{{{Guid.NewGuid()}}}","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"image":"{{{image}}}"},"annotations":{"padding":"{{{new string('x', Padding)}}}"} },
            "template":{"metadata":{},"spec":{"containers":[{"name":"c","image":"{{{image}}}"}]} } }
            """;
        return (await kv.PutAsync(new PutRequest { Key = ByteString.CopyFromUtf8(Prefix + name), Value = ByteString.CopyFrom(Encoding.UTF8.GetBytes(json)) })).Header.Revision;
    }
}
