using System.Globalization;
using System.Text;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Feed;

/// <summary>How far the feed is, kept in the store so that a feed on a lasting bus goes on after a restart without a gap.</summary>
internal sealed class FeedPosition(ObjectStorage storage, TimeProvider time)
{
    private const string Key = "/mesh/change-feed/revision";
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private long saved, reached;
    private long last;

    /// <summary>The revision reached by whoever published last; 0 when there was nobody.</summary>
    public async Task<long> LoadAsync(CancellationToken ct) =>
        saved = reached = await storage.GetAsync(Key, ct) is { } stored ? long.Parse(Encoding.UTF8.GetString(stored.Json.Span), CultureInfo.InvariantCulture) : 0;

    /// <summary>Notes a revision; writes it down at most every five seconds, and only when something was published.</summary>
    public async Task ReachedAsync(long revision, CancellationToken ct)
    {
        reached = revision;
        if (time.GetElapsedTime(last) >= Every) await SaveAsync(ct);
    }

    /// <summary>Writes down what has been reached.</summary>
    public async Task SaveAsync(CancellationToken ct)
    {
        if (reached <= saved) return;
        last = time.GetTimestamp();
        var value = Encoding.UTF8.GetBytes(reached.ToString(CultureInfo.InvariantCulture));
        var current = await storage.GetAsync(Key, ct);
        // A failed compare is another publisher's write: its position counts.
        await (current is null ? storage.CreateAsync(Key, value, null, ct) : storage.UpdateAsync(Key, value, current.Revision, null, ct));
        saved = reached;
    }
}
