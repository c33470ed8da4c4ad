using System.Net.Sockets;
using Grpc.Core;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Storage;

/// <summary>
/// The etcd v3 API over several endpoints. Reads move to the next endpoint when one fails; a write is repeated only when it surely
/// never left (connection refused), because a repeated compare would take its own first try for somebody else's.
/// </summary>
internal sealed class EtcdClient
{
    // A member that is cut off from the others ends the watch, in place of staying silent.
    private static readonly Metadata RequireLeader = new() { { "hasleader", "true" } };
    private readonly CallInvoker[] endpoints;
    private int current;

    /// <summary>One invoker per endpoint; the invokers pipeline calls over one HTTP/2 connection each.</summary>
    public EtcdClient(IReadOnlyList<CallInvoker> endpoints)
    {
        ArgumentOutOfRangeException.ThrowIfZero(endpoints.Count);
        this.endpoints = [.. endpoints];
    }

    private delegate AsyncUnaryCall<TResponse> Call<TRequest, TResponse>(CallInvoker invoker, TRequest request, CallOptions options);

    /// <summary>KV.Range.</summary>
    public Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new KV.KVClient(invoker).RangeAsync(r, o), request, repeatable: true, ct);

    /// <summary>KV.Txn.</summary>
    public Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new KV.KVClient(invoker).TxnAsync(r, o), request, repeatable: false, ct);

    /// <summary>KV.Compact.</summary>
    public Task<CompactionResponse> CompactAsync(CompactionRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new KV.KVClient(invoker).CompactAsync(r, o), request, repeatable: true, ct);

    /// <summary>Lease.LeaseGrant.</summary>
    public Task<LeaseGrantResponse> LeaseGrantAsync(LeaseGrantRequest request, CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new Lease.LeaseClient(invoker).LeaseGrantAsync(r, o), request, repeatable: true, ct);

    /// <summary>Maintenance.Status (health).</summary>
    public Task<StatusResponse> StatusAsync(CancellationToken ct) =>
        CallAsync(static (invoker, r, o) => new Maintenance.MaintenanceClient(invoker).StatusAsync(r, o), new StatusRequest(), repeatable: true, ct);

    /// <summary>A watch stream on the endpoint in use; after a failure call <see cref="MoveOn"/> and open another.</summary>
    public (AsyncDuplexStreamingCall<WatchRequest, WatchResponse> Call, int Endpoint) Watch(CancellationToken ct)
    {
        var index = Volatile.Read(ref current);
        return (new Watch.WatchClient(endpoints[index]).Watch(RequireLeader, cancellationToken: ct), index);
    }

    /// <summary>The endpoint failed: the next call takes the next one (unless somebody moved already).</summary>
    public void MoveOn(int failed) => Interlocked.CompareExchange(ref current, (failed + 1) % endpoints.Length, failed);

    private async Task<TResponse> CallAsync<TRequest, TResponse>(Call<TRequest, TResponse> call, TRequest request, bool repeatable, CancellationToken ct)
    {
        // Twice round the endpoints covers one lost connection on the only endpoint.
        for (var tries = 2 * endpoints.Length; ; tries--)
        {
            var index = Volatile.Read(ref current);
            try
            {
                return await call(endpoints[index], request, new CallOptions(cancellationToken: ct));
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && tries > 1 && !ct.IsCancellationRequested && (repeatable || NeverLeft(e)))
            {
                MoveOn(index);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
            {
                throw new OperationCanceledException(ct);
            }
        }
    }

    private static bool NeverLeft(RpcException e)
    {
        for (var inner = e.Status.DebugException; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.AddressNotAvailable }) return true;
        }

        return false;
    }
}
