using Mesh.Store.Access;
using Mesh.Store.Leases;
using Mesh.Store.Mvcc;

namespace Mesh.Store.Snapshots;

/// <summary>
/// The state at one log index, taken between two batches in a moment (the tree is copied on write). Versions newer than the revision are stepped over while it is
/// written out; versions that a compaction meanwhile cuts are missing from it, which is no loss: that compaction is in the log after the index.
/// </summary>
internal sealed record SnapshotCapture(SnapshotHeader Header, KeyTreeView View, List<LeaseState> Leases, List<int> Alarms, AccessState Access)
{
    /// <summary>For an increment: the versions since the snapshot it follows, in order; read while the capture is held. Null: all that the view has.</summary>
    public IEnumerable<KeyVersion>? Changes { get; init; }

    /// <summary>The revision that compaction is held at until the capture is released.</summary>
    public long Held { get; init; }

    /// <summary>Bytes of log when it was taken.</summary>
    public long LogBytes { get; init; }
}
