using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api.Apply;
using Mesh.Api.Codecs;
using Mesh.Api.Schema;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Registry.Apply;

/// <summary>
/// The bridge from client-side apply, only for the manager "kubectl": fields that kubectl's annotation shows it set before do not conflict, and the
/// annotation is kept in step so that one can go back to client-side apply.
/// </summary>
internal static class LastApplied
{
    private const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";
    private const string Kubectl = "kubectl";
    private const int MaxAnnotations = 256 * 1024;

    /// <summary>The conflicts that stay: without fields whose live values are the ones last applied on the client's side.</summary>
    public static IReadOnlyList<ApplyConflict> Remaining(RequestContext request, TypeSchema type, JsonObject live, IReadOnlyList<ApplyConflict> conflicts)
    {
        if (request.FieldManager != Kubectl || Value(live) is not { Length: > 0 } text) return conflicts;
        JsonObject config;
        try
        {
            config = JsonCodec.Decode(Encoding.UTF8.GetBytes(text), type);
        }
        catch (DecodeException)
        {
            return conflicts;
        }

        if (config["apiVersion"]?.ToString() != request.Resource.GroupVersion) return conflicts;
        var allowed = Applier.SameAs(type, live, config).Paths().ToHashSet(StringComparer.Ordinal);
        return [.. conflicts.Where(c => !allowed.Contains(c.Path))];
    }

    /// <summary>Writes the configuration into the annotation of an object that has it; what would not fit is not kept.</summary>
    public static void Sync(RequestContext request, ApplyConfig config, JsonObject obj)
    {
        if (request.FieldManager != Kubectl || Value(obj) is null) return;
        var sent = (JsonObject)config.Sent.DeepClone();
        if (sent["metadata"]?["annotations"] is JsonObject own) own.Remove(Annotation);
        var text = Encoding.UTF8.GetString(JsonBytes.Write(sent)) + "\n";
        var annotations = (JsonObject)obj["metadata"]!["annotations"]!;
        annotations.Remove(Annotation);
        var size = annotations.Sum(static a => (long)a.Key.Length + Encoding.UTF8.GetByteCount(a.Value?.ToString() ?? ""));
        if (size + Annotation.Length + Encoding.UTF8.GetByteCount(text) <= MaxAnnotations) annotations[Annotation] = text;
    }

    private static string? Value(JsonObject obj) =>
        obj["metadata"]?["annotations"] is JsonObject annotations && annotations[Annotation] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
}
