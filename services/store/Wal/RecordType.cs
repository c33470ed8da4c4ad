namespace Mesh.Store.Wal;

/// <summary>What a log record's payload is. Numbers are on disk: never reuse one. KV payloads are the etcd request messages themselves.</summary>
internal enum RecordType : byte
{
    Put = 1,
    DeleteRange = 2,
    Txn = 3,
    Compact = 4,
    LeaseGrant = 5,
    LeaseRevoke = 6,
    LeaseCheckpoint = 7,
    Alarm = 8,
    Access = 9,
}
