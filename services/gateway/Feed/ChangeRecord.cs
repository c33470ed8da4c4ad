using System.Buffers;
using System.Text;
using System.Text.Json;
using Mesh.Api;
using Mesh.Gateway.Storage;
using Mesh.Rpc.Etcd;

namespace Mesh.Gateway.Feed;

/// <summary>
/// One event of the change feed: which object changed how, at which revision, without the object itself. JSON:
/// <c>{"type":"ADDED","group":"apps","resource":"deployments","namespace":"default","name":"web","resourceVersion":"42"}</c>;
/// type is ADDED, MODIFIED or DELETED as in a watch. The event's key is the object's place, "apps/deployments/default/web": events of one
/// object are in one partition, in order.
/// </summary>
internal static class ChangeRecord
{
    private const string Root = "/registry/";
    private static readonly Dictionary<string, ApiResource> Prefixes = ResourceTable.All
        .GroupBy(StorageKeys.Prefix, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);

    /// <summary>Key and value of a store event; null for what is no object of the API.</summary>
    public static (string Key, byte[] Value)? Of(in WatchEvent change)
    {
        var key = Encoding.UTF8.GetString(change.Item.Key.Span);
        if (Find(key) is not var (resource, prefix)) return null;
        var (ns, name) = StorageKeys.Split(key, prefix, resource.Namespaced);
        var type = change.IsDelete ? "DELETED" : change.Item.CreateRevision == change.Item.ModRevision ? "ADDED" : "MODIFIED";
        var buffer = new ArrayBufferWriter<byte>(192);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("group", resource.Group);
            json.WriteString("resource", resource.Plural);
            if (ns.Length > 0) json.WriteString("namespace", ns);
            json.WriteString("name", name);
            json.WriteString("resourceVersion", change.Item.ModRevision.ToString());
            json.WriteEndObject();
        }

        return (key[Root.Length..], buffer.WrittenSpan.ToArray());
    }

    private static (ApiResource Resource, int Prefix)? Find(string key)
    {
        // /registry/resource/… or /registry/group/resource/…
        for (var (slash, parts) = (key.IndexOf('/', Root.Length), 1); slash > 0 && parts <= 2; slash = key.IndexOf('/', slash + 1), parts++)
        {
            if (Prefixes.TryGetValue(key[..(slash + 1)], out var resource)) return (resource, slash + 1);
        }

        return null;
    }
}
