using Mesh.Store.Mvcc;

namespace Mesh.Store.Watching;

/// <summary>Bounds of a watch stream.</summary>
internal sealed record WatchLimits
{
    /// <summary>Bytes of events queued for a stream before its watchers fall back to history.</summary>
    public long QueuedBytes { get; init; } = 16 << 20;

    /// <summary>Events read from history at a time.</summary>
    public int CatchUpEvents { get; init; } = 1000;

    /// <summary>An answer is ended at the next revision once it is this large; above it only a fragmented or a single revision's answer grows.</summary>
    public int AnswerBytes { get; init; } = 1 << 20;

    /// <summary>A fragment's size, for watches that asked for fragments: etcd's request limit and some.</summary>
    public int FragmentBytes { get; init; } = (3 << 19) + 512;

    /// <summary>How often a quiet watch that asked for it hears the revision.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>A request for a watch. <see cref="Refusal"/>: why it must not be opened (permissions).</summary>
internal sealed record WatchCreation(KeyRange Range)
{
    public long StartRevision { get; init; }
    public long WatchId { get; init; }
    public bool PrevKv { get; init; }
    public bool ProgressNotify { get; init; }
    public bool Fragment { get; init; }
    public bool NoPut { get; init; }
    public bool NoDelete { get; init; }
    public string? Refusal { get; init; }
}

/// <summary>Cuts events into answers: whole revisions each, unless the client takes fragments.</summary>
internal static class EventSplitter
{
    public static void Split(Watcher watcher, List<KeyVersion> events, long revision, WatchLimits limits, List<WatchReply> into)
    {
        for (var at = 0; at < events.Count;)
        {
            var start = at;
            long bytes = 0;
            var fragment = false;
            for (; at < events.Count; at++)
            {
                var boundary = at > start && events[at].ModRevision != events[at - 1].ModRevision;
                if (boundary && bytes >= limits.AnswerBytes) break;
                var more = WatchReply.EventBound(events[at], watcher.PrevKv);
                if (watcher.Fragment && at > start && bytes + more > limits.FragmentBytes)
                {
                    // A fragment says that more of the same revisions follows; at a boundary the answer is simply whole.
                    fragment = !boundary;
                    break;
                }

                bytes += more;
            }

            into.Add(new WatchReply
            {
                WatchId = watcher.Id,
                Revision = at == events.Count ? Math.Max(revision, events[at - 1].ModRevision) : events[at - 1].ModRevision,
                Events = start == 0 && at == events.Count ? events : events.GetRange(start, at - start),
                PrevKv = watcher.PrevKv,
                Fragment = fragment,
            });
        }
    }
}
