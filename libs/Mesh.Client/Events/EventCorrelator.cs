using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Core.V1;

namespace Mesh.Client;

/// <summary>An event as it is to be written: as a new one, or counting up one already written.</summary>
internal readonly record struct CorrelatedEvent(Event Event, bool IsRepeat, string Key);

/// <summary>
/// Keeps events few, by client-go's rules: 1. a source may write 25 events about one object at once and then one in five
/// minutes; 2. more than ten events within ten minutes that differ only in their message become one "(combined from similar
/// events)"; 3. an event seen before counts up instead of being written anew. Used by one writer at a time.
/// </summary>
internal sealed class EventCorrelator(TimeProvider time)
{
    private const int MaxKeys = 4096;
    private const int Burst = 25;
    private const double PerSecond = 1.0 / 300;
    private const int MaxSimilar = 10;
    private static readonly TimeSpan SimilarWindow = TimeSpan.FromMinutes(10);

    private readonly RecentMap<TokenBucket> _spam = new(MaxKeys);
    private readonly RecentMap<Similar> _similar = new(MaxKeys);
    private readonly RecentMap<Event> _written = new(MaxKeys);

    /// <summary>What to write for the event; null when it is one too many.</summary>
    internal CorrelatedEvent? Correlate(Event e)
    {
        var about = $"{e.Source?.Component}\n{e.Source?.Host}\n{e.InvolvedObject?.Kind}\n{e.InvolvedObject?.Namespace}\n{e.InvolvedObject?.Name}\n{e.InvolvedObject?.Uid}";
        var group = $"{about}\n{e.InvolvedObject?.FieldPath}\n{e.Type}\n{e.Reason}";
        var key = $"{group}\n{e.Message}";

        var similar = _similar.GetOrAdd(group, () => new Similar());
        var now = time.GetUtcNow();
        if (now - similar.Last > SimilarWindow) similar.Messages.Clear();
        similar.Last = now;
        similar.Messages.Add(e.Message ?? "");
        if (similar.Messages.Count > MaxSimilar)
        {
            similar.Messages.Remove(similar.Messages.First(m => m != e.Message));
            e.Message = "(combined from similar events): " + e.Message;
            key = group;
        }

        var isRepeat = _written.TryGet(key, out var before);
        if (isRepeat)
        {
            e.Metadata.Name = before!.Metadata.Name;
            e.Metadata.ResourceVersion = before.Metadata.ResourceVersion;
            e.FirstTimestamp = before.FirstTimestamp;
            e.Count = (before.Count ?? 1) + 1;
        }

        if (!_spam.GetOrAdd(about, () => new TokenBucket(PerSecond, Burst, time)).TryTake()) return null;
        return new CorrelatedEvent(e, isRepeat, key);
    }

    /// <summary>Remembers what the server made of it, for counting up later.</summary>
    internal void Written(CorrelatedEvent write, Event stored) => _written.Set(write.Key, stored);

    /// <summary>What changes when an event is seen again.</summary>
    internal static byte[] CountPatch(Event e) => System.Text.Encoding.UTF8.GetBytes(new JsonObject
    {
        ["count"] = e.Count,
        ["message"] = e.Message,
        ["lastTimestamp"] = KubeTime.Format(e.LastTimestamp ?? default),
    }.ToJsonString());

    private sealed class Similar
    {
        internal HashSet<string> Messages { get; } = new(StringComparer.Ordinal);

        internal DateTimeOffset Last { get; set; }
    }

    /// <summary>A map that forgets what was used longest ago.</summary>
    private sealed class RecentMap<TValue>(int capacity)
    {
        private readonly Dictionary<string, LinkedListNode<(string Key, TValue Value)>> _nodes = new(StringComparer.Ordinal);
        private readonly LinkedList<(string Key, TValue Value)> _order = new();

        internal bool TryGet(string key, out TValue? value)
        {
            if (_nodes.TryGetValue(key, out var node))
            {
                _order.Remove(node);
                _order.AddFirst(node);
                value = node.Value.Value;
                return true;
            }

            value = default;
            return false;
        }

        internal void Set(string key, TValue value)
        {
            if (_nodes.Remove(key, out var old)) _order.Remove(old);
            _nodes[key] = _order.AddFirst((key, value));
            if (_nodes.Count <= capacity) return;
            _nodes.Remove(_order.Last!.Value.Key);
            _order.RemoveLast();
        }

        internal TValue GetOrAdd(string key, Func<TValue> make)
        {
            if (TryGet(key, out var value)) return value!;
            var made = make();
            Set(key, made);
            return made;
        }
    }
}
