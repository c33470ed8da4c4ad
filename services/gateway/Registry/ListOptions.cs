using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry;

/// <summary>What a list or watch selects and how fresh it must be (ListOptions).</summary>
internal sealed record ListOptions
{
    /// <summary>Label selector text.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector text.</summary>
    public string? FieldSelector { get; init; }

    /// <summary>"" (now), "0" (whatever is at hand) or a revision.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>"", Exact or NotOlderThan.</summary>
    public string ResourceVersionMatch { get; init; } = "";

    /// <summary>Page size, 0 for all.</summary>
    public long Limit { get; init; }

    /// <summary>Where the last page ended.</summary>
    public string Continue { get; init; } = "";

    /// <summary>Watch: begin with the present objects.</summary>
    public bool? SendInitialEvents { get; init; }

    /// <summary>Watch: bookmarks are welcome.</summary>
    public bool AllowBookmarks { get; init; }

    /// <summary>Watch: after which time the caller will end it; null: not known.</summary>
    public TimeSpan? Lifetime { get; init; }
}

/// <summary>A page of a list.</summary>
/// <param name="Items">In key order.</param>
/// <param name="Revision">Revision at which it is true.</param>
/// <param name="Continue">Token of the next page, or null.</param>
/// <param name="Remaining">Objects after this page when it is known, else null.</param>
internal sealed record ListPage(IReadOnlyList<CacheEntry> Items, long Revision, string? Continue, long? Remaining);

/// <summary>DeleteOptions as the registry needs them.</summary>
internal sealed record DeleteRequest
{
    /// <summary>Seconds, null for the kind's default.</summary>
    public long? GracePeriodSeconds { get; init; }

    /// <summary>Background, Foreground, Orphan or null.</summary>
    public string? PropagationPolicy { get; init; }

    /// <summary>The uid the object must have.</summary>
    public string? Uid { get; init; }

    /// <summary>The resourceVersion the object must have.</summary>
    public string? ResourceVersion { get; init; }
}

/// <summary>What a write left: the object, and whether it is new. Deleted: the object is gone for good, its last state is given.</summary>
internal readonly record struct WriteOutcome(CacheEntry Entry, bool Created = false, bool Deleted = false);
