using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Mesh.Store.Commit;
using Mesh.Store.Mvcc;
using Mesh.Store.Snapshots;
using Mesh.Store.Wal;
using Pb = Mesh.Rpc.Etcd;

namespace Mesh.Store.Rpc;

/// <summary>etcdserverpb.Maintenance.</summary>
internal sealed class MaintenanceService(StoreEngine engine, Guard guard) : Pb.Maintenance.MaintenanceBase
{
    /// <summary>What clients take for the server's version: the etcd API level that is spoken.</summary>
    public const string ApiVersion = "3.5.17";

    public override Task<Pb.StatusResponse> Status(Pb.StatusRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        guard.Anyone(context);
        var reply = new Pb.StatusResponse
        {
            Header = engine.Header(),
            Version = ApiVersion,
            DbSize = engine.Store.SizeInBytes,
            DbSizeInUse = engine.Store.SizeInBytes,
            Leader = engine.Identity.MemberId,
            RaftIndex = engine.DurableIndex,
            RaftAppliedIndex = engine.DurableIndex,
            RaftTerm = 1,
        };
        if (engine.Failure is { } failure) reply.Errors.Add(failure.Message);
        reply.Errors.AddRange(engine.Alarms.Select(a => $"memberID:{engine.Identity.MemberId} alarm:{((Pb.AlarmType)a).ToString().ToUpperInvariant()} "));
        return reply;
    });

    public override Task<Pb.AlarmResponse> Alarm(Pb.AlarmRequest request, ServerCallContext context) => Edge.Run(async () =>
    {
        guard.Anyone(context);
        var reply = new Pb.AlarmResponse();
        switch (request.Action)
        {
            case Pb.AlarmRequest.Types.AlarmAction.Get:
                reply.Alarms.AddRange(engine.Alarms.Where(a => request.Alarm == Pb.AlarmType.None || a == (int)request.Alarm).Select(Member));
                break;
            case Pb.AlarmRequest.Types.AlarmAction.Activate:
                guard.Root(context);
                if (request.Alarm != Pb.AlarmType.None && (bool)await engine.ProposeAsync(new AlarmCommand((int)request.Alarm, true))) reply.Alarms.Add(Member((int)request.Alarm));
                break;
            case Pb.AlarmRequest.Types.AlarmAction.Deactivate:
                guard.Root(context);
                foreach (var alarm in engine.Alarms.Where(a => request.Alarm == Pb.AlarmType.None || a == (int)request.Alarm).ToList())
                {
                    if ((bool)await engine.ProposeAsync(new AlarmCommand(alarm, false))) reply.Alarms.Add(Member(alarm));
                }

                break;
        }

        reply.Header = engine.Header();
        return reply;
    });

    public override Task<Pb.DefragmentResponse> Defragment(Pb.DefragmentRequest request, ServerCallContext context) => Edge.Run(async () =>
    {
        guard.Root(context);
        await engine.SnapshotAsync(whole: true);
        return new Pb.DefragmentResponse { Header = engine.Header() };
    });

    public override Task<Pb.HashResponse> Hash(Pb.HashRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        guard.Root(context);
        var (hash, revision, _) = HashAt(0);
        return new Pb.HashResponse { Header = engine.Header(revision), Hash = hash };
    });

    public override Task<Pb.HashKVResponse> HashKV(Pb.HashKVRequest request, ServerCallContext context) => Edge.Answer(() =>
    {
        guard.Root(context);
        var (hash, _, compacted) = HashAt(request.Revision);
        return new Pb.HashKVResponse { Header = engine.Header(), Hash = hash, CompactRevision = compacted };
    });

    public override async Task Snapshot(Pb.SnapshotRequest request, IServerStreamWriter<Pb.SnapshotResponse> replies, ServerCallContext context)
    {
        try
        {
            guard.Root(context);
            var capture = await engine.CaptureAsync();
            try
            {
                await Send(capture, replies, context);
            }
            finally
            {
                await engine.ReleaseAsync(capture);
            }
        }
        catch (StoreException e)
        {
            throw Edge.ToRpc(e);
        }
    }

    public override Task<Pb.MoveLeaderResponse> MoveLeader(Pb.MoveLeaderRequest request, ServerCallContext context) => Edge.Answer<Pb.MoveLeaderResponse>(() =>
    {
        guard.Root(context);
        // The only member leads already.
        return request.TargetID == engine.Identity.MemberId
            ? new Pb.MoveLeaderResponse { Header = Edge.Header(engine) }
            : throw new StoreException(StatusCode.FailedPrecondition, "etcdserver: bad leader transferee");
    });

    public override Task<Pb.DowngradeResponse> Downgrade(Pb.DowngradeRequest request, ServerCallContext context) => Edge.Answer<Pb.DowngradeResponse>(() =>
    {
        guard.Root(context);
        throw new StoreException(StatusCode.FailedPrecondition, "mesh: the embedded store has no versions of etcd to go back to");
    });

    /// <summary>The bytes of a snapshot file and then their SHA-256, as etcd ends its own. The length is not known before: what remains is reported as one more chunk.</summary>
    private async Task Send(SnapshotCapture capture, IServerStreamWriter<Pb.SnapshotResponse> replies, ServerCallContext context)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var chunk in SnapshotEncoder.Encode(capture))
        {
            sha.AppendData(chunk.Span);
            await replies.WriteAsync(new Pb.SnapshotResponse { Header = engine.Header(), RemainingBytes = (ulong)SHA256.HashSizeInBytes, Blob = ByteString.CopyFrom(chunk.Span) }, context.CancellationToken);
        }

        await replies.WriteAsync(new Pb.SnapshotResponse { Header = engine.Header(), RemainingBytes = 0, Blob = ByteString.CopyFrom(sha.GetHashAndReset()) }, context.CancellationToken);
    }

    private Pb.AlarmMember Member(int alarm) => new() { MemberID = engine.Identity.MemberId, Alarm = (Pb.AlarmType)alarm };

    private (uint Hash, long Revision, long Compacted) HashAt(long revision)
    {
        var published = engine.Store.Published;
        if (revision > published.Revision) throw Refusals.FutureRevision;
        var at = revision > 0 ? revision : published.Revision;
        if (at < engine.Store.CompactRevision) throw Refusals.Compacted;
        uint hash = 0;
        Span<byte> numbers = stackalloc byte[24];
        var walk = published.View.Walk(KeyRange.Everything);
        while (walk.MoveNext())
        {
            if (walk.Current.LiveAt(at) is not { } version) continue;
            hash = Crc32C.Compute(walk.Current.Key, hash);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(numbers, version.ModRevision);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], version.CreateRevision);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(numbers[16..], version.Version);
            hash = Crc32C.Compute(numbers, hash);
            hash = Crc32C.Compute(version.Value, hash);
        }

        return (hash, at, engine.Store.CompactRevision);
    }
}
