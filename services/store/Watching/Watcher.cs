using Mesh.Store.Mvcc;

namespace Mesh.Store.Watching;

/// <summary>One watch of a stream. Everything mutable in it is guarded by the hub's lock.</summary>
internal sealed class Watcher(WatchStream stream, long id, KeyRange range)
{
    public WatchStream Stream { get; } = stream;
    public long Id { get; } = id;
    public KeyRange Range { get; } = range;
    public bool PrevKv { get; init; }
    public bool Fragment { get; init; }
    public bool ProgressNotify { get; init; }
    public bool NoPut { get; init; }
    public bool NoDelete { get; init; }

    /// <summary>Everything below this revision was queued for the client, or is not wanted.</summary>
    public long Next { get; set; }

    /// <summary>In the hub's index and fed by it; else it catches up from history.</summary>
    public bool Synced { get; set; }

    /// <summary>Gone: nothing more is sent for it.</summary>
    public bool Ended { get; set; }

    /// <summary>Events not yet taken by the stream's sender.</summary>
    public List<KeyVersion>? Pending { get; set; }

    /// <summary>Whether the watch wants this event.</summary>
    public bool Wants(KeyVersion version) => !(version.IsTombstone ? NoDelete : NoPut);
}
