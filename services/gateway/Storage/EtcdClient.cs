using Google.Protobuf;
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
    private static readonly (string, string)[] RequireLeader = [("hasleader", "true")];
    private readonly LeanChannel[] endpoints;
    private int current;

    /// <summary>A channel to each endpoint; they are closed with the client.</summary>
    public EtcdClient(IReadOnlyList<LeanChannel> endpoints)
    {
        ArgumentOutOfRangeException.ThrowIfZero(endpoints.Count);
        this.endpoints = [.. endpoints];
    }

    /// <summary>KV.Range.</summary>
    public ValueTask<RangeAnswer> RangeAsync(RangeCall request, CancellationToken ct) => CallAsync(RangeCall.Path, request, RangeAnswer.Read, repeatable: true, ct);

    /// <summary>KV.Txn of one guarded write.</summary>
    public ValueTask<WriteAnswer> WriteAsync(GuardedWrite request, CancellationToken ct) => CallAsync(GuardedWrite.Path, request, WriteAnswer.Read, repeatable: false, ct);

    /// <summary>Lease.LeaseGrant.</summary>
    public Task<LeaseGrantResponse> LeaseGrantAsync(LeaseGrantRequest request, CancellationToken ct) => CallAsync("/etcdserverpb.Lease/LeaseGrant", request, LeaseGrantResponse.Parser, ct);

    /// <summary>Maintenance.Status (health).</summary>
    public Task<StatusResponse> StatusAsync(CancellationToken ct) => CallAsync("/etcdserverpb.Maintenance/Status", new StatusRequest(), StatusResponse.Parser, ct);

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

    /// <summary>Opens a watch stream on the endpoint in use; when it fails, as in "nobody is there", the next call takes the next endpoint.</summary>
    public async ValueTask<(LeanStream Stream, int Endpoint)> WatchAsync(CancellationToken ct)
    {
        var index = Volatile.Read(ref current);
        try
        {
            return (await endpoints[index].OpenAsync(WatchCreateCall.Path, ct, RequireLeader), index);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
        {
            MoveOn(index);
            throw;
        }
    }

    /// <summary>The endpoint failed: the next call takes the next one (unless somebody moved already).</summary>
    public void MoveOn(int failed) => Interlocked.CompareExchange(ref current, (failed + 1) % endpoints.Length, failed);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var endpoint in endpoints) endpoint.Dispose();
    }

    // Twice round the endpoints covers one lost connection on the only endpoint.
    private int Tries => 2 * endpoints.Length;

    private static bool MayRepeat(RpcException e, int tries, bool repeatable, CancellationToken ct) =>
        e.StatusCode == StatusCode.Unavailable && tries > 1 && !ct.IsCancellationRequested && (repeatable || e.Status.DebugException is NotProcessedException);

    /// <summary>Calls that are rare: with messages as the schema makes them.</summary>
    private async Task<TResponse> CallAsync<TResponse>(string path, IMessage request, MessageParser<TResponse> parser, CancellationToken ct)
        where TResponse : IMessage<TResponse> =>
        await CallAsync(path, new SchemaMessage(request), bytes => parser.ParseFrom(bytes.Span), repeatable: true, ct);

    private async ValueTask<TAnswer> CallAsync<TRequest, TAnswer>(string path, TRequest request, Func<ReadOnlyMemory<byte>, TAnswer> read, bool repeatable, CancellationToken ct)
        where TRequest : IWireMessage
    {
        for (var tries = Tries; ; tries--)
        {
            var index = Volatile.Read(ref current);
            try
            {
                return read(await endpoints[index].CallAsync(path, request, ct));
            }
            catch (RpcException e) when (MayRepeat(e, tries, repeatable, ct))
            {
                MoveOn(index);
            }
        }
    }

    private readonly struct SchemaMessage(IMessage message) : IWireMessage
    {
        public int Size => message.CalculateSize();

        public void Write(Span<byte> to) => message.WriteTo(to);
    }
}
