namespace Mesh.Store;

/// <summary>How aged history is dropped without being asked.</summary>
public enum AutoCompactionMode
{
    /// <summary>Only on a client's Compact.</summary>
    Off,

    /// <summary>History older than <see cref="StoreOptions.AutoCompactionRetention"/> goes.</summary>
    Periodic,

    /// <summary>All but the last <see cref="StoreOptions.AutoCompactionRevisions"/> revisions go.</summary>
    Revision,
}

/// <summary>Settings of a store. Flags, environment and file names are the property names.</summary>
public sealed class StoreOptions
{
    /// <summary>Directory of log and snapshots; created when absent.</summary>
    public string DataDir { get; set; } = "mesh-store";

    /// <summary>Member name, as `etcdctl member list` shows it.</summary>
    public string Name { get; set; } = "mesh-store";

    /// <summary>Addresses to serve on: `https://host:port`, `http://host:port`, `unix:///path`, `inproc://name`. Several are separated by commas.</summary>
    public string Listen { get; set; } = "http://127.0.0.1:2379";

    /// <summary>Addresses that `etcdctl member list` shows; those of <see cref="Listen"/> when not set.</summary>
    public string? AdvertiseClientUrls { get; set; }

    /// <summary>A plain `http://host:port` for /healthz, /livez, /readyz and /metrics over HTTP/1.1; gRPC listeners serve them too, over HTTP/2 or TLS.</summary>
    public string? MetricsListen { get; set; }

    /// <summary>PEM file of the serving certificate, for https.</summary>
    public string? CertFile { get; set; }

    /// <summary>PEM file of the serving key.</summary>
    public string? KeyFile { get; set; }

    /// <summary>PEM file of the authorities whose client certificates are taken; when set, a client must show one.</summary>
    public string? TrustedCaFile { get; set; }

    /// <summary>Bytes of keys and values, history included, above which writes are refused and the NOSPACE alarm raised; 0 for no bound.</summary>
    public long QuotaBytes { get; set; } = 8L << 30;

    /// <summary>Largest request in bytes; etcd's default is 1.5 MiB.</summary>
    public int MaxRequestBytes { get; set; } = 3 << 19;

    /// <summary>Most operations in a branch of a transaction.</summary>
    public int MaxTxnOps { get; set; } = 128;

    /// <summary>Bytes preallocated for a log segment.</summary>
    public long SegmentBytes { get; set; } = 32 << 20;

    /// <summary>Log bytes after which a snapshot is written; a sixteenth of the live data counts when it is larger.</summary>
    public long SnapshotLogBytes { get; set; } = 16 << 20;

    /// <summary>Automatic compaction.</summary>
    public AutoCompactionMode AutoCompaction { get; set; } = AutoCompactionMode.Periodic;

    /// <summary>Age of history that periodic compaction keeps.</summary>
    public TimeSpan AutoCompactionRetention { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Revisions that compaction by revision keeps.</summary>
    public long AutoCompactionRevisions { get; set; } = 10_000;

    /// <summary>How far a long lease may run down before that is noted on disk; zero for never.</summary>
    public TimeSpan LeaseCheckpointInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a quiet watch that asked for progress hears it.</summary>
    public TimeSpan WatchProgressInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Mistakes that tests put back to see their suites find them; no flag sets this.</summary>
    internal KnownBugs Bugs { get; set; }
}
