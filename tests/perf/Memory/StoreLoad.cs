using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Grpc.Net.Client;
using Mesh.Perf.Api;
using Mesh.Rpc;
using Mesh.Rpc.Etcd;

namespace Mesh.Perf.Memory;

/// <summary>Puts pods into the store beside the gateway: as many as the API would take minutes for.</summary>
internal static class StoreLoad
{
    private const int Batch = 64;
    private const int Callers = 4;
    private const string Prefix = "/registry/pods/default/";

    /// <summary>Copies of the first pods with names, ids, addresses, nodes and times of their own, until there are so many.</summary>
    public static async Task<(int Count, long Bytes)> CopyPodsAsync(ApiServer server, int first, int pods, ClusterObjects objects, CancellationToken ct)
    {
        using var identity = Identity(server);
        using var channel = Open(server, identity);
        var kv = new KV.KVClient(channel);
        var templates = (await kv.RangeAsync(
            new RangeRequest { Key = ByteString.CopyFromUtf8(Prefix), RangeEnd = ByteString.CopyFromUtf8("/registry/pods/default0"), Limit = 2000 }, cancellationToken: ct)).Kvs.Select(k => k.Value.ToStringUtf8()).ToArray();
        var next = first;
        var bytes = 0L;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(
            async () =>
            {
                for (int from; (from = Interlocked.Add(ref next, Batch) - Batch) < pods;)
                {
                    var txn = new TxnRequest();
                    for (var i = from; i < Math.Min(pods, from + Batch); i++)
                    {
                        var value = Encoding.UTF8.GetBytes(objects.Copy(templates[i % templates.Length], i));
                        Interlocked.Add(ref bytes, value.Length);
                        txn.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8(Prefix + ClusterObjects.PodName(i)), Value = UnsafeByteOperations.UnsafeWrap(value) } });
                    }

                    await kv.TxnAsync(txn, cancellationToken: ct);
                }
            },
            ct)));
        return (pods - first, bytes);
    }

    private static X509Certificate2 Identity(ApiServer server)
    {
        var path = Path.Combine(server.Pki, "etcd", "healthcheck-client");
        using var pem = X509Certificate2.CreateFromPemFile(path + ".crt", path + ".key");
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static GrpcChannel Open(ApiServer server, X509Certificate2 identity)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(Path.Combine(server.Pki, "etcd", "ca.crt"));
        return MeshChannel.Create($"https://127.0.0.1:{server.StorePort}", new MeshChannelOptions { ClientCertificate = () => identity, TrustedRoots = () => roots });
    }
}
