using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mesh.Api;
using Mesh.Api.Selectors;

namespace Mesh.Client.Testing;

/// <summary>A change of a stored object, as watchers get it.</summary>
internal readonly record struct FakeChange(long Revision, ApiResource Resource, JsonObject? Old, JsonObject? Now);

/// <summary>
/// The fake's store: objects as JSON, one revision counter, every change kept for watchers that come later. One lock.
/// </summary>
internal sealed class FakeObjects(TimeProvider time)
{
    private readonly SortedDictionary<string, (ApiResource Resource, JsonObject Object)> _objects = new(StringComparer.Ordinal);
    private readonly List<FakeChange> _history = [];
    private readonly List<Channel<FakeChange>> _watchers = [];
    private long _uid;

    internal Lock Gate { get; } = new();

    internal long Revision { get; private set; } = 1;

    internal long CompactedTo { get; private set; }

    internal static string Path(ApiResource r, string? ns, string name) => $"{r.Group}/{r.Plural}/{(r.Namespaced ? ns : "")}/{name}";

    internal JsonObject? Find(ApiResource r, string? ns, string name) => _objects.TryGetValue(Path(r, ns, name), out var found) ? found.Object : null;

    internal IEnumerable<JsonObject> Of(ApiResource r) =>
        _objects.Where(o => o.Value.Resource.Group == r.Group && o.Value.Resource.Plural == r.Plural).Select(o => o.Value.Object);

    internal JsonObject Insert(ApiResource r, JsonObject obj)
    {
        var meta = Meta(obj);
        meta["uid"] ??= $"00000000-0000-0000-0000-{++_uid:000000000000}";
        meta["creationTimestamp"] ??= KubeTime.Format(time.GetUtcNow().UtcDateTime);
        if (obj.ContainsKey("spec")) meta["generation"] = 1L;
        return Put(r, null, obj);
    }

    internal JsonObject Put(ApiResource r, JsonObject? old, JsonObject now)
    {
        var meta = Meta(now);
        meta["resourceVersion"] = (++Revision).ToString();
        _objects[Path(r, meta["namespace"]?.ToString(), meta["name"]!.ToString())] = (r, now);
        Publish(new FakeChange(Revision, r, old, now));
        return now;
    }

    internal void Remove(ApiResource r, JsonObject old)
    {
        var meta = Meta(old);
        _objects.Remove(Path(r, meta["namespace"]?.ToString(), meta["name"]!.ToString()));
        var last = old.DeepClone().AsObject();
        Meta(last)["resourceVersion"] = (++Revision).ToString();
        Publish(new FakeChange(Revision, r, last, null));
    }

    /// <summary>Forgets history: watches from an older revision get 410.</summary>
    internal void Compact()
    {
        CompactedTo = Revision;
        _history.Clear();
    }

    internal Channel<FakeChange> Subscribe(long after)
    {
        var channel = Channel.CreateUnbounded<FakeChange>();
        foreach (var change in _history.Where(c => c.Revision > after)) channel.Writer.TryWrite(change);
        _watchers.Add(channel);
        return channel;
    }

    internal void Unsubscribe(Channel<FakeChange> channel)
    {
        lock (Gate) _watchers.Remove(channel);
    }

    internal void BreakWatches()
    {
        lock (Gate)
        {
            foreach (var watcher in _watchers) watcher.Writer.TryComplete();
            _watchers.Clear();
        }
    }

    internal static JsonObject Meta(JsonObject obj)
    {
        if (obj["metadata"] is JsonObject meta) return meta;
        obj["metadata"] = meta = [];
        return meta;
    }

    internal static bool Matches(JsonObject obj, ListQuery query)
    {
        var meta = Meta(obj);
        if (query.Namespace is not null && meta["namespace"]?.ToString() != query.Namespace) return false;
        return Selector.Parse(query.LabelSelector).Matches(meta["labels"] as JsonObject)
            && FieldSelector.Parse(query.FieldSelector).Matches(field => Field(obj, field));
    }

    internal static T Typed<T>(JsonObject obj)
        where T : class, IKubeObject<T> => KubeJson.Deserialize<T>(Bytes(obj));

    internal static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());

    internal static JsonObject Parse(ReadOnlySpan<byte> utf8) => JsonNode.Parse(utf8)!.AsObject();

    internal static JsonObject Json<T>(T obj)
        where T : class, IKubeObject<T> => Parse(KubeJson.Serialize(obj));

    private static string? Field(JsonObject obj, string path)
    {
        JsonNode? at = obj;
        foreach (var part in path.Split('.')) at = (at as JsonObject)?[part];
        return at switch
        {
            null => "",
            JsonValue v when v.GetValueKind() is JsonValueKind.True => "true",
            JsonValue v when v.GetValueKind() is JsonValueKind.False => "false",
            _ => at.ToString(),
        };
    }

    private void Publish(FakeChange change)
    {
        _history.Add(change);
        foreach (var watcher in _watchers) watcher.Writer.TryWrite(change);
    }
}
