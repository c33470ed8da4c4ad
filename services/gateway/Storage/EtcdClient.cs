using Grpc.Core;
using Mesh.Rpc;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Storage;

/// <summary>
/// The etcd v3 API over several endpoints. Reads move to the next endpoint when one fails; a write is repeated only when it surely
/// never began (nobody to connect to, or the server says so), because a repeated compare would take its own first try for somebody else's.
/// </summary>
internal sealed class EtcdClient : IDisposable
{
    // A member that is cut off from the others ends the watch, in place of staying silent.
    private static readonly Metadata RequireLeader = new() { { "hasleader", "true" } };
    private readonly EtcdEndpoint[] endpoints;
    private int current;

    /// <summary>The endpoints, each with its connections.</summary>
    public EtcdClient(IReadOnlyList<EtcdEndpoint> endpoints)
    {
        ArgumentOutOfRangeException.ThrowIfZero(endpoints.Count);
        this.endpoints = [.. endpoints];
    }

    private delegate AsyncUnaryCall<TResponse> Call<TRequest, TResponse>(CallInvoker invoker, TRequest request, CallOptions options);

    /// <summary>KV.Range.</summary>
    public async ValueTask<RangeAnswer> RangeAsync(RangeCall request, CancellationToken ct)
    {
        for (var tries = Tries; ; tries--)
        {
            var index = Volatile.Read(ref current);
            try
            {
                return RangeAnswer.Read(await endpoints[index].Calls.CallAsync(RangeCall.Path, request, ct));
            }
            catch (RpcException e) when (MayRepeat(e, tries, repeatable: true, ct))
            {
                MoveOn(index);
            }
        }
    }

    /// <summary>KV.Txn of one guarded write.</summary>
    public async ValueTask<WriteAnswer> WriteAsync(GuardedWrite request, CancellationToken ct)
    {
        for (var tries = Tries; ; tries--)
        {
            var index = Volatile.Read(ref current);
            try
            {
                return WriteAnswer.Read(await endpoints[index].Calls.CallAsync(GuardedWrite.Path, request, ct));
            }
            catch (RpcException e) when (MayRepeat(e, tries, repeatable: false, ct))
            {
                MoveOn(index);
            }
        }
    }

    /// <summary>KV.Compact.</summary>
    public Task<CompactionResponse> CompactAsync(CompactionRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new KV.KVClient(invoker).CompactAsync(r, o), request, ct);

    /// <summary>Lease.LeaseGrant.</summary>
    public Task<LeaseGrantResponse> LeaseGrantAsync(LeaseGrantRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new Lease.LeaseClient(invoker).LeaseGrantAsync(r, o), request, ct);

    /// <summary>Maintenance.Status (health).</summary>
    public Task<StatusResponse> StatusAsync(CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new Maintenance.MaintenanceClient(invoker).StatusAsync(r, o), new StatusRequest(), ct);

    /// <summary>Whether answers to progress requests can be believed: older etcds send them ahead of events that came before.</summary>
    public async ValueTask<bool> TellsProgressInOrderAsync(CancellationToken ct)
    {
        try
        {
            return TellsProgressInOrder((await StatusAsync(ct)).Version);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.PermissionDenied or StatusCode.Unauthenticated or StatusCode.Unimplemented)
        {
            return false;
        }
    }

    /// <summary>The versions whose progress is in order: 3.4.31, 3.5.13, 3.6 and what follows each.</summary>
    internal static bool TellsProgressInOrder(string version) =>
        Version.TryParse(version.Split('-')[0], out var number) && number.Major >= 3 &&
        (number.Major > 3 || number.Minor > 5 || (number.Minor == 5 && number.Build >= 13) || (number.Minor == 4 && number.Build >= 31));

    /// <summary>A watch stream on the endpoint in use; after a failure call <see cref="MoveOn"/> and open another.</summary>
    public (AsyncDuplexStreamingCall<WatchRequest, WatchResponse> Call, int Endpoint) Watch(CancellationToken ct)
    {
        var index = Volatile.Read(ref current);
        return (new Watch.WatchClient(endpoints[index].Streams).Watch(RequireLeader, cancellationToken: ct), index);
    }

    /// <summary>The endpoint failed: the next call takes the next one (unless somebody moved already).</summary>
    public void MoveOn(int failed) => Interlocked.CompareExchange(ref current, (failed + 1) % endpoints.Length, failed);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var endpoint in endpoints) endpoint.Calls.Dispose();
    }

    // Twice round the endpoints covers one lost connection on the only endpoint.
    private int Tries => 2 * endpoints.Length;

    private static bool MayRepeat(RpcException e, int tries, bool repeatable, CancellationToken ct) =>
        e.StatusCode == StatusCode.Unavailable && tries > 1 && !ct.IsCancellationRequested && (repeatable || e.Status.DebugException is NotProcessedException);

    private async Task<TResponse> CallAsync<TRequest, TResponse>(Call<TRequest, TResponse> call, TRequest request, CancellationToken ct)
    {
        for (var tries = Tries; ; tries--)
        {
            var index = Volatile.Read(ref current);
            try
            {
                return await call(endpoints[index].Streams, request, new CallOptions(cancellationToken: ct));
            }
            catch (RpcException e) when (MayRepeat(e, tries, repeatable: true, ct))
            {
                MoveOn(index);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
            {
                throw new OperationCanceledException(ct);
            }
        }
    }
}
