using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry;

/// <summary>What the server does with metadata of every kind: fills it at creation, guards it at updates, and checks it.</summary>
internal static class ObjectMetaRules
{
    private const long MaxAnnotations = 256 * 1024;

    /// <summary>The metadata of an object, made when it is not there.</summary>
    public static JsonObject Of(JsonObject obj)
    {
        if (obj["metadata"] is JsonObject meta) return meta;
        var made = new JsonObject();
        obj["metadata"] = made;
        return made;
    }

    /// <summary>A string of the metadata, "" when absent.</summary>
    public static string Text(JsonObject obj, string field) =>
        obj["metadata"] is JsonObject meta && meta[field] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    /// <summary>Time as Kubernetes writes it, whole seconds.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>Whether a deletion has begun.</summary>
    public static bool IsDeleting(JsonObject obj) => Text(obj, "deletionTimestamp").Length > 0;

    /// <summary>Finalizers of the metadata.</summary>
    public static IReadOnlyList<string> Finalizers(JsonObject obj) =>
        obj["metadata"] is JsonObject meta && meta["finalizers"] is JsonArray list ? [.. list.Select(static n => n?.ToString() ?? "")] : [];

    /// <summary>Replaces the finalizers.</summary>
    public static void SetFinalizers(JsonObject obj, IEnumerable<string> finalizers)
    {
        var list = new JsonArray();
        foreach (var finalizer in finalizers) list.Add(finalizer);
        if (list.Count == 0) Of(obj).Remove("finalizers");
        else Of(obj)["finalizers"] = list;
    }

    /// <summary>deletionGracePeriodSeconds, or null.</summary>
    public static long? Grace(JsonObject obj) => obj["metadata"] is JsonObject meta && meta["deletionGracePeriodSeconds"] is JsonValue v && v.TryGetValue<long>(out var n) ? n : null;

    /// <summary>Fills what the server owns in a new object: uid, creationTimestamp; takes out what a creator cannot say.</summary>
    public static void Fill(JsonObject obj, string? ns, DateTimeOffset now)
    {
        var meta = Of(obj);
        foreach (var field in new[] { "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "resourceVersion", "generation" }) meta.Remove(field);
        meta["uid"] = Guid.NewGuid().ToString();
        meta["creationTimestamp"] = Time(now);
        if (ns is null) meta.Remove("namespace");
        else meta["namespace"] = ns;
    }

    /// <summary>Puts back what an update cannot change, and fills in what a writer may leave out.</summary>
    public static void Guard(JsonObject obj, JsonObject old)
    {
        var (meta, was) = (Of(obj), Of(old));
        foreach (var field in new[] { "selfLink", "managedFields", "resourceVersion" }) meta.Remove(field);
        foreach (var field in new[] { "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName", "generation" }) PutBack(field, meta, was);
        if (Text(obj, "uid").Length == 0) PutBack("uid", meta, was);
        if (Text(obj, "namespace").Length == 0) PutBack("namespace", meta, was);
    }

    /// <summary>Checks the metadata of a new object.</summary>
    public static void Validate(JsonObject obj, IResourceStrategy strategy, List<FieldError> errors)
    {
        var (name, prefix) = (Text(obj, "name"), Text(obj, "generateName"));
        if (prefix.Length > 0)
        {
            foreach (var rule in strategy.ValidateName(prefix, true)) errors.Add(FieldError.Invalid("metadata.generateName", prefix, rule));
        }

        if (name.Length == 0)
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
        }
        else
        {
            foreach (var rule in strategy.ValidateName(name, false)) errors.Add(FieldError.Invalid("metadata.name", name, rule));
        }

        ValidateCommon(obj, errors);
    }

    /// <summary>Checks a change of the metadata.</summary>
    public static void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        ValidateCommon(obj, errors);
        foreach (var field in new[] { "name", "namespace", "uid" })
        {
            if (Text(obj, field) != Text(old, field)) errors.Add(FieldError.Invalid("metadata." + field, Text(obj, field), "field is immutable"));
        }

        if (!IsDeleting(old)) return;
        var kept = Finalizers(old);
        var added = Finalizers(obj).Except(kept, StringComparer.Ordinal).ToArray();
        if (added.Length > 0)
        {
            errors.Add(FieldError.Forbidden(
                "metadata.finalizers", $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(GoText.Quote))}}}"));
        }
    }

    private static void ValidateCommon(JsonObject obj, List<FieldError> errors)
    {
        var meta = Of(obj);
        foreach (var (key, value) in meta["labels"] as JsonObject ?? [])
        {
            foreach (var rule in Names.QualifiedName(key)) errors.Add(FieldError.Invalid("metadata.labels", key, rule));
            foreach (var rule in Names.LabelValue(value?.ToString() ?? "")) errors.Add(FieldError.Invalid("metadata.labels", value?.ToString(), rule));
        }

        var size = 0L;
        foreach (var (key, value) in meta["annotations"] as JsonObject ?? [])
        {
            foreach (var rule in Names.QualifiedName(key.ToLowerInvariant())) errors.Add(FieldError.Invalid("metadata.annotations", key, rule));
            size += key.Length + Encoding.UTF8.GetByteCount(value?.ToString() ?? "");
        }

        if (size > MaxAnnotations) errors.Add(FieldError.TooLong("metadata.annotations", (int)MaxAnnotations));
        var index = 0;
        foreach (var finalizer in Finalizers(obj))
        {
            foreach (var rule in Names.QualifiedName(finalizer)) errors.Add(FieldError.Invalid("metadata.finalizers", finalizer, rule));
            if (finalizer is "orphan" or "foregroundDeletion" or "kubernetes" || finalizer.Contains('/', StringComparison.Ordinal)) continue;
            if (Names.QualifiedName(finalizer).Count == 0)
                errors.Add(FieldError.Invalid(new FieldPath("metadata.finalizers").Index(index), finalizer, "name is neither a standard finalizer name nor is it fully qualified"));
            index++;
        }

        ValidateOwners(meta["ownerReferences"] as JsonArray ?? [], errors);
    }

    private static void ValidateOwners(JsonArray owners, List<FieldError> errors)
    {
        JsonObject? controller = null;
        for (var i = 0; i < owners.Count; i++)
        {
            if (owners[i] is not JsonObject owner) continue;
            var path = new FieldPath("metadata.ownerReferences");
            foreach (var field in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if ((owner[field]?.ToString() ?? "").Length == 0) errors.Add(FieldError.Invalid(path.Child(field), "", field == "apiVersion" ? "version must not be empty" : "must not be empty"));
            }

            if (owner["apiVersion"]?.ToString() == "v1" && owner["kind"]?.ToString() == "Event")
                errors.Add(FieldError.Invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
            if (owner["controller"] is not JsonValue flag || !flag.TryGetValue<bool>(out var isController) || !isController) continue;
            if (controller is not null)
            {
                errors.Add(FieldError.Invalid(
                    path,
                    owners,
                    $"Only one reference can have Controller set to true. Found \"true\" in references for {controller["kind"]}/{controller["name"]} and {owner["kind"]}/{owner["name"]}"));
            }

            controller = owner;
        }
    }

    private static void PutBack(string field, JsonObject meta, JsonObject old)
    {
        meta.Remove(field);
        if (old[field] is { } was) meta[field] = was.DeepClone();
    }
}
