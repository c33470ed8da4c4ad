using System.ComponentModel;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Hosting;
using Mesh.Rpc.Etcd;

namespace Mesh.Standalone;

/// <summary>Options of <c>migrate</c>.</summary>
internal sealed class MigrationOptions
{
    [Description("data directory of a prepared cluster that does not run")]
    public string Cluster { get; set; } = ".mesh";

    [Description("where the state shall be kept: etcd v3 endpoints (https://host:2379,...), or \"embedded\" for the cluster's own store")]
    public string To { get; set; } = "";

    [Description("authorities of the endpoints' certificates")]
    public string CaFile { get; set; } = "";

    [Description("client certificate for the endpoints")]
    public string CertFile { get; set; } = "";

    [Description("its key")]
    public string KeyFile { get; set; } = "";

    [Description("only look whether the new store can be had and is empty; the cluster may run")]
    public bool Check { get; set; }
}

/// <summary>
/// Moves a cluster's state to another store. The new store's revision is first raised beyond the old one's: a resourceVersion never goes back, so a writer with an
/// old one gets a conflict; at the end it is compacted: a watcher with an old one is told to list again. The cluster is switched last, by one rename of its options;
/// whatever ends this before leaves the old store in charge, and the next try begins anew.
/// </summary>
internal static class Migration
{
    private const string Objects = "/registry/";
    private const int Page = 100;
    private const int BatchBytes = 512 * 1024;
    private static readonly TimeSpan s_answers = TimeSpan.FromSeconds(30);
    private static readonly ByteString s_marker = ByteString.CopyFromUtf8("/mesh/migration");

    public static async Task<int> RunAsync(ClusterOptions cluster, MigrationOptions options)
    {
        var target = ClusterOptions.Load(cluster.DataDir);
        (target.Store, target.StoreCaFile, target.StoreCertFile, target.StoreKeyFile) = (options.To == "embedded" ? "" : options.To, options.CaFile, options.CertFile, options.KeyFile);
        if (options.To.Length == 0)
            throw new SettingsException("--to: name the endpoints of the new store, or \"embedded\"");
        target.CompleteStore();
        if (target.Store == cluster.Store)
            throw new SettingsException($"--to {options.To}: the cluster is kept there already");
        using var limit = new CancellationTokenSource(TimeSpan.FromHours(1));
        var ct = limit.Token;
        try
        {
            if (options.Check)
            {
                // The cluster's own store is nobody else's: there is nothing to look at.
                if (target.Store.Length == 0) return 0;
                await using var there = await StoreConnection.OpenAsync(target, ct);
                await RefuseFullAsync(there, ct);
                return 0;
            }

            await using var from = await StoreConnection.OpenAsync(cluster, ct);
            await using var to = await StoreConnection.OpenAsync(target, ct);
            await CopyAsync(from, to, ct);
        }
        catch (RpcException e)
        {
            throw new SettingsException($"a store did not answer: {e.Status.Detail}");
        }

        target.Save();
        Preparation.WriteEtcdctlEnvironment(target);
        SetAside(cluster);
        return 0;
    }

    /// <summary>The old embedded store is kept, out of the way: a later way back starts from an empty one.</summary>
    private static void SetAside(ClusterOptions old)
    {
        if (old.Store.Length > 0)
            return;
        var layout = new ClusterLayout(old.DataDir);
        var aside = layout.Store + "-until-" + DateTime.UtcNow.ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        Directory.Move(layout.Store, aside);
        Directory.CreateDirectory(layout.Store);
        Console.WriteLine($"the old store is kept in {aside}");
    }

    private static async Task CopyAsync(StoreConnection from, StoreConnection to, CancellationToken ct)
    {
        await BeginAsync(to, ct);
        var revision = (await from.Kv.RangeAsync(new RangeRequest { Key = s_marker, CountOnly = true }, cancellationToken: ct)).Header.Revision;
        await RaiseAsync(to, revision, ct);
        var leases = new Dictionary<long, long>();
        var batch = new TxnRequest();
        long count = 0, size = 0;
        using var written = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await foreach (var kv in ReadAsync(from, revision, ct))
        {
            Add(written, kv);
            if (size + kv.Value.Length > BatchBytes || batch.Success.Count == Page)
            {
                await to.Kv.TxnAsync(batch, cancellationToken: ct);
                (batch, size) = (new TxnRequest(), 0);
            }

            if (kv.Lease != 0 && !leases.TryGetValue(kv.Lease, out _))
                leases[kv.Lease] = await LeaseAsync(from, to, kv.Lease, ct);
            batch.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = kv.Key, Value = kv.Value, Lease = kv.Lease == 0 ? 0 : leases[kv.Lease] } });
            size += kv.Value.Length;
            count++;
        }

        if (batch.Success.Count > 0)
            await to.Kv.TxnAsync(batch, cancellationToken: ct);
        await VerifyAsync(to, written.GetHashAndReset(), ct);
        var end = (await to.Kv.DeleteRangeAsync(new DeleteRangeRequest { Key = s_marker }, cancellationToken: ct)).Header.Revision;
        await to.Kv.CompactAsync(new CompactionRequest { Revision = end }, cancellationToken: ct);
        Console.WriteLine($"moved {count} objects from {from.Name} to {to.Name}; revision {revision} became {end}");
    }

    /// <summary>The new store must be empty, or hold what a try that did not end left there: that goes.</summary>
    private static async Task BeginAsync(StoreConnection to, CancellationToken ct)
    {
        await RefuseFullAsync(to, ct);
        await to.Kv.PutAsync(new PutRequest { Key = s_marker, Value = ByteString.CopyFromUtf8("begun") }, cancellationToken: ct);
        await to.Kv.DeleteRangeAsync(new DeleteRangeRequest { Key = ByteString.CopyFromUtf8(Objects), RangeEnd = End }, cancellationToken: ct);
    }

    private static async Task RefuseFullAsync(StoreConnection to, CancellationToken ct)
    {
        var limit = DateTime.UtcNow + s_answers;
        var begun = await to.Kv.RangeAsync(new RangeRequest { Key = s_marker }, deadline: limit, cancellationToken: ct);
        var there = await to.Kv.RangeAsync(Range(ByteString.CopyFromUtf8(Objects), 0, countOnly: true), deadline: limit, cancellationToken: ct);
        if (there.Count > 0 && begun.Count == 0)
            throw new SettingsException($"{to.Name} already holds the state of a cluster ({there.Count} objects): choose an empty store");
    }

    /// <summary>Each write is one revision; there is no other way to raise it through the etcd API.</summary>
    private static async Task RaiseAsync(StoreConnection to, long revision, CancellationToken ct)
    {
        var put = new PutRequest { Key = s_marker, Value = ByteString.CopyFromUtf8("raising") };
        var now = (await to.Kv.PutAsync(put, cancellationToken: ct)).Header.Revision;
        for (; now < revision; now = (await to.Kv.PutAsync(put, cancellationToken: ct)).Header.Revision)
            await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(256, revision - now)).Select(_ => to.Kv.PutAsync(put, cancellationToken: ct).ResponseAsync));
    }

    private static async IAsyncEnumerable<KeyValue> ReadAsync(StoreConnection store, long revision, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var next = ByteString.CopyFromUtf8(Objects);
        while (true)
        {
            var page = await store.Kv.RangeAsync(Range(next, revision, countOnly: false), cancellationToken: ct);
            foreach (var kv in page.Kvs)
                yield return kv;
            if (!page.More)
                yield break;
            next = ByteString.CopyFrom([.. page.Kvs[^1].Key.Span, 0]);
        }
    }

    /// <summary>What was written is read again: a store that answers is believed, what it holds is looked at.</summary>
    private static async Task VerifyAsync(StoreConnection to, byte[] expected, CancellationToken ct)
    {
        using var read = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await foreach (var kv in ReadAsync(to, 0, ct))
            Add(read, kv);
        if (!read.GetHashAndReset().AsSpan().SequenceEqual(expected))
            throw new SettingsException($"{to.Name} does not hold what was written to it (does something else write there?); the cluster is kept where it was");
    }

    private static async Task<long> LeaseAsync(StoreConnection from, StoreConnection to, long id, CancellationToken ct)
    {
        var left = await from.Leases.LeaseTimeToLiveAsync(new LeaseTimeToLiveRequest { ID = id }, cancellationToken: ct);
        // One that ended meanwhile still has its key in the revision read: it ends there, too.
        return (await to.Leases.LeaseGrantAsync(new LeaseGrantRequest { TTL = Math.Max(1, left.TTL) }, cancellationToken: ct)).ID;
    }

    private static RangeRequest Range(ByteString start, long revision, bool countOnly) =>
        new() { Key = start, RangeEnd = End, Revision = revision, Limit = countOnly ? 0 : Page, CountOnly = countOnly };

    private static ByteString End { get; } = ByteString.CopyFromUtf8("/registry0");

    private static void Add(IncrementalHash hash, KeyValue kv)
    {
        hash.AppendData(BitConverter.GetBytes(kv.Key.Length));
        hash.AppendData(kv.Key.Span);
        hash.AppendData(BitConverter.GetBytes(kv.Value.Length));
        hash.AppendData(kv.Value.Span);
    }
}
