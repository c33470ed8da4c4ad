using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>Writes the gateway's own objects, past authorization and admission.</summary>
internal interface IPolicyStore
{
    /// <summary>The object straight from the store, or null.</summary>
    Task<JsonObject?> GetAsync(ApiResource resource, string? ns, string name, CancellationToken ct);

    /// <summary>Creates it.</summary>
    Task CreateAsync(ApiResource resource, JsonObject obj, CancellationToken ct);

    /// <summary>Replaces it; its resourceVersion must match.</summary>
    Task UpdateAsync(ApiResource resource, JsonObject obj, CancellationToken ct);

    /// <summary>Deletes it.</summary>
    Task DeleteAsync(ApiResource resource, string? ns, string name, CancellationToken ct);
}

/// <summary>
/// Puts the default roles and bindings back at start. What somebody added stays, what is missing returns; an object annotated
/// autoupdate=false is left alone.
/// </summary>
internal static class BootstrapReconciler
{
    /// <summary>Annotation that lets an owner keep an object from being put back.</summary>
    public const string AutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

    /// <summary>Brings the stored objects up to the defaults; answers how many were written.</summary>
    public static async Task<int> ReconcileAsync(IPolicyStore store, IReadOnlyList<JsonObject> defaults, CancellationToken ct)
    {
        var written = 0;
        foreach (var wanted in defaults)
        {
            var resource = ResourceOf(wanted.Text("kind"));
            var ns = resource.Namespaced ? wanted.NamespaceOf() : null;
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    if (await WriteAsync(store, resource, ns, wanted, ct)) written++;
                    break;
                }
                catch (ApiException e) when (attempt < 5 && (e.IsConflict || e.IsAlreadyExists))
                {
                    // Another gateway starts at the same time: look again.
                }
            }
        }

        return written;
    }

    /// <summary>What must be written in place of the stored object; null when it is good as it is.</summary>
    internal static JsonObject? Repair(JsonObject stored, JsonObject wanted)
    {
        if (stored.Text("metadata", "annotations", AutoUpdate) == "false") return null;
        var repaired = stored.DeepClone().AsObject();
        var changed = false;
        foreach (var map in new[] { "labels", "annotations" })
        {
            foreach (var (key, value) in wanted.At("metadata", map)!.AsObject())
            {
                if (stored.At("metadata", map, key) is not null) continue;
                var metadata = repaired["metadata"]!.AsObject();
                if (metadata[map] is null) metadata[map] = new JsonObject();
                metadata[map]![key] = value!.DeepClone();
                changed = true;
            }
        }

        if (wanted["roleRef"] is not null)
        {
            changed |= AddMissing(repaired, "subjects", wanted.Objects("subjects").Where(s => !stored.Objects("subjects").Any(t => SameSubject(s, t))));
        }
        else if (wanted["aggregationRule"] is { } aggregation)
        {
            if (!JsonNode.DeepEquals(aggregation, stored["aggregationRule"])) repaired["aggregationRule"] = aggregation.DeepClone();
            changed |= !JsonNode.DeepEquals(aggregation, stored["aggregationRule"]);
        }
        else
        {
            changed |= AddMissing(repaired, "rules", RuleCover.Missing(RbacJson.ReadRules(stored), RbacJson.ReadRules(wanted)).Select(RbacJson.WriteRule));
        }

        return changed ? repaired : null;
    }

    private static async Task<bool> WriteAsync(IPolicyStore store, ApiResource resource, string? ns, JsonObject wanted, CancellationToken ct)
    {
        var stored = await store.GetAsync(resource, ns, wanted.Name(), ct);
        if (stored is null)
        {
            await store.CreateAsync(resource, wanted.DeepClone().AsObject(), ct);
            return true;
        }

        if (wanted["roleRef"] is { } reference && !SameReference(reference, stored["roleRef"])
            && stored.Text("metadata", "annotations", AutoUpdate) != "false")
        {
            // The role of a binding cannot change: it is made anew.
            await store.DeleteAsync(resource, ns, wanted.Name(), ct);
            await store.CreateAsync(resource, wanted.DeepClone().AsObject(), ct);
            return true;
        }

        if (Repair(stored, wanted) is not { } repaired) return false;
        await store.UpdateAsync(resource, repaired, ct);
        return true;
    }

    private static ApiResource ResourceOf(string kind) => kind switch
    {
        "ClusterRole" => RbacResources.ClusterRoles,
        "Role" => RbacResources.Roles,
        "ClusterRoleBinding" => RbacResources.ClusterRoleBindings,
        _ => RbacResources.RoleBindings,
    };

    private static bool AddMissing(JsonObject obj, string list, IEnumerable<JsonObject> missing)
    {
        var changed = false;
        foreach (var item in missing.ToArray())
        {
            if (obj[list] is not JsonArray) obj[list] = new JsonArray();
            obj[list]!.AsArray().Add(item.DeepClone());
            changed = true;
        }

        return changed;
    }

    private static bool SameSubject(JsonObject a, JsonObject b) =>
        a.Text("kind") == b.Text("kind") && a.Text("name") == b.Text("name") && a.Text("namespace") == b.Text("namespace");

    private static bool SameReference(JsonNode a, JsonNode? b) => a.Text("kind") == b.Text("kind") && a.Text("name") == b.Text("name");
}
