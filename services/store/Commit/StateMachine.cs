using Mesh.Store.Access;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;
using Mesh.Store.Wire;

namespace Mesh.Store.Commit;

/// <summary>All state that the log determines. Same commands in the same order give the same state, live and in recovery.</summary>
internal sealed class StateMachine(TimeProvider time) : IDisposable
{
    private TxnApplier? _txns;

    public Lessor Lessor { get; } = new(time);

    public MvccStore Store => field ??= new MvccStore(Lessor);

    public AccessState Access { get; private set; } = AccessState.Empty;

    /// <summary>Raised alarms (etcdserverpb.AlarmType).</summary>
    public IReadOnlySet<int> Alarms { get; private set; } = new HashSet<int>();

    public TxnApplier Txns => _txns ??= new TxnApplier(Store, Lessor);

    /// <summary>Carries out a command; its answer, or a <see cref="StoreException"/> that is equally the command's outcome.</summary>
    public object Apply(object command)
    {
        switch (command)
        {
            case PutRequest put:
                return Txns.Put(put);
            case DeleteRangeRequest delete:
                return Txns.DeleteRange(delete);
            case TxnRequest txn:
                return Txns.Txn(txn);
            case CompactCommand compact:
                Store.Compact(compact.Revision);
                return Store.WriterRevision;
            case LeaseGrantCommand grant:
                return Lessor.Grant(grant.Id, grant.Ttl);
            case LeaseRevokeCommand revoke:
                return Revoke(revoke.Id);
            case LeaseCheckpointCommand checkpoint:
                foreach (var (id, remaining) in checkpoint.Leases) Lessor.SetCheckpoint(id, remaining);
                return 0L;
            case AlarmCommand alarm:
                var alarms = new HashSet<int>(Alarms);
                var changed = alarm.Raise ? alarms.Add(alarm.Alarm) : alarms.Remove(alarm.Alarm);
                Alarms = alarms;
                return changed;
            case AccessCommand access:
                Access = AccessState.Decode(access.State.Span);
                return 0L;
            default:
                throw new ArgumentException("not a command: " + command.GetType().Name, nameof(command));
        }
    }

    /// <summary>Puts back what a snapshot holds beside keys.</summary>
    public void Restore(IEnumerable<LeaseState> leases, IEnumerable<int> alarms, AccessState access)
    {
        foreach (var lease in leases) Lessor.Grant(lease.Id, lease.Ttl, lease.Remaining);
        Alarms = new HashSet<int>(alarms);
        Access = access;
    }

    public void Dispose() => Lessor.Dispose();

    private long Revoke(long id)
    {
        var keys = Lessor.Revoke(id);
        var writer = Store.BeginWrite();
        foreach (var key in keys) writer.Delete(key);
        return writer.End();
    }
}
