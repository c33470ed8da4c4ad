namespace Mesh.Store;

/// <summary>Mistakes that stores have made. Tests switch them on one at a time: a suite that does not find its bug proves nothing.</summary>
[Flags]
internal enum KnownBugs
{
    None = 0,

    /// <summary>Answers are given without fdatasync.</summary>
    SkipSync = 1,

    /// <summary>Readers see a write before it is on disk.</summary>
    ApplyBeforeLog = 2,

    /// <summary>Compaction takes the event of the compacted revision, too.</summary>
    DropEventAtCompaction = 4,

    /// <summary>A restart counts on from the newest live key.</summary>
    ReuseRevision = 8,

    /// <summary>An increment lacks what compaction took from the history since the snapshot before it.</summary>
    ForgetCompacted = 16,
}
