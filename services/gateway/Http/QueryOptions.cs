using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Http;

/// <summary>ListOptions, DeleteOptions and the write options, from the query (and the body of a DELETE).</summary>
internal static class QueryOptions
{
    /// <summary>A boolean parameter as Kubernetes reads it: absent is null; "", "0" and "false" are false, anything else is true.</summary>
    public static bool? Flag(IQueryCollection query, string name) =>
        !query.TryGetValue(name, out var value) ? null : value.ToString().ToLowerInvariant() is not ("" or "0" or "false");

    /// <summary>A number, or null when the parameter is absent; of several the first.</summary>
    /// <exception cref="ApiException">400 when it is none.</exception>
    public static long? Number(IQueryCollection query, string name)
    {
        if (!query.TryGetValue(name, out var values) || values.Count == 0) return null;
        var text = values[0] ?? "";
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ApiException(Statuses.BadRequest($"strconv.ParseInt: parsing {GoText.Quote(text)}: {(IsDigits(text) ? "value out of range" : "invalid syntax")}"));
    }

    private static bool IsDigits(string text) => text.AsSpan(text is ['+' or '-', ..] ? 1 : 0) is { Length: > 0 } digits && !digits.ContainsAnyExceptInRange('0', '9');

    /// <summary>What to list or watch.</summary>
    public static ListOptions List(IQueryCollection query, string? name = null)
    {
        var fields = query["fieldSelector"].ToString();
        Number(query, "timeoutSeconds"); // refused when it is none, though only watches use it
        if (!string.IsNullOrEmpty(name)) fields = fields.Length == 0 ? "metadata.name=" + name : fields + ",metadata.name=" + name;
        return new ListOptions
        {
            LabelSelector = query["labelSelector"],
            FieldSelector = fields,
            ResourceVersion = query["resourceVersion"].ToString(),
            ResourceVersionMatch = query["resourceVersionMatch"].ToString(),
            Limit = Math.Max(0, Number(query, "limit") ?? 0),
            Continue = query["continue"].ToString(),
            SendInitialEvents = Flag(query, "sendInitialEvents"),
            AllowBookmarks = Flag(query, "allowWatchBookmarks") == true,
        };
    }

    /// <summary>Whether nothing is to be stored.</summary>
    /// <exception cref="ApiException">422 for another value than All.</exception>
    public static bool DryRun(IEnumerable<string?> values, string verb)
    {
        var all = values.ToArray();
        if (all.Any(static v => v != "All"))
        {
            var shown = new JsonArray([.. all.Select(static v => (JsonNode)(v ?? ""))]);
            throw new ApiException(Statuses.Invalid("meta.k8s.io", Kind(verb), "", [FieldError.NotSupported("dryRun", shown, "All")]));
        }

        return all.Length > 0;
    }

    /// <summary>What to do with unknown fields.</summary>
    /// <exception cref="ApiException">422 for an unknown word.</exception>
    public static FieldValidation Validation(string word, string verb) => word switch
    {
        "" or "Warn" => FieldValidation.Warn,
        "Ignore" => FieldValidation.Ignore,
        "Strict" => FieldValidation.Strict,
        _ => throw new ApiException(Statuses.Invalid(
            "meta.k8s.io", Kind(verb), "", [FieldError.NotSupported("fieldValidation", word, "", "Ignore", "Strict", "Warn")])),
    };

    /// <summary>How to delete: the body's options, or when there is none the query's.</summary>
    public static (DeleteRequest Options, bool DryRun) Delete(IQueryCollection query, JsonObject? body)
    {
        if (body is null)
        {
            return (
                new DeleteRequest
                {
                    GracePeriodSeconds = Number(query, "gracePeriodSeconds"),
                    PropagationPolicy = Policy(query["propagationPolicy"], Flag(query, "orphanDependents")),
                },
                DryRun(query["dryRun"], "delete"));
        }

        var preconditions = body["preconditions"] as JsonObject;
        var orphan = body["orphanDependents"] is JsonValue v && v.TryGetValue<bool>(out var flag) ? flag : (bool?)null;
        return (
            new DeleteRequest
            {
                GracePeriodSeconds = body["gracePeriodSeconds"] is JsonValue g && g.TryGetValue<long>(out var seconds) ? seconds : null,
                PropagationPolicy = Policy(body["propagationPolicy"]?.ToString(), orphan),
                Uid = preconditions?["uid"]?.ToString(),
                ResourceVersion = preconditions?["resourceVersion"]?.ToString(),
            },
            DryRun((body["dryRun"] as JsonArray ?? []).Select(static n => n?.ToString()), "delete") || DryRun(query["dryRun"], "delete"));
    }

    /// <summary>The options a verb takes.</summary>
    public static string Kind(string verb) => verb switch { "patch" => "PatchOptions", "update" => "UpdateOptions", "delete" or "deletecollection" => "DeleteOptions", _ => "CreateOptions" };

    private static string? Policy(string? policy, bool? orphan) =>
        !string.IsNullOrEmpty(policy) && orphan is not null
            ? throw new ApiException(Statuses.Invalid(
                "meta.k8s.io", "DeleteOptions", "", [FieldError.Invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")]))
            : !string.IsNullOrEmpty(policy) ? policy : orphan switch { true => "Orphan", false => "Background", null => null };
}
