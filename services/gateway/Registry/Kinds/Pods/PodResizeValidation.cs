using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>What may change through pods/resize (KEP-1287): CPU and memory of containers and sidecars, without taking any away, within one class of service.</summary>
internal static class PodResizeValidation
{
    public static void Pod(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        var (spec, was) = (obj.Obj("spec") ?? [], old.Obj("spec") ?? []);
        if (Whole(spec) || Whole(was))
            Refuse(errors, "pods with pod-level resources cannot be resized");
        else if (PodMetadataValidation.IsMirror(old))
            Refuse(errors, "static pods cannot be resized");
        else if (was.Obj("os").Str("name") == "windows")
            Refuse(errors, "windows pods cannot be resized");
        else
            Changes(errors, spec, was, old);
    }

    private static void Changes(List<FieldError> errors, JsonObject spec, JsonObject was, JsonObject old)
    {
        var quality = old.Obj("status").Str("qosClass") is { Length: > 0 } decided ? decided : QosClass.Of(was);
        if (QosClass.Of(spec) != quality)
            errors.Add(FieldError.Invalid("spec", quality, "Pod QOS Class may not change as a result of resizing"));
        if (NodeCannot(old))
            errors.Add(FieldError.Forbidden("spec", "Pod running on node without support for resize"));

        foreach (var (i, container) in was.Items("initContainers"))
        {
            if (container.Str("restartPolicy") == "Always")
                Container(errors, new FieldPath("spec.initContainers").Index(i).Child("resources"), Find(spec, "initContainers", container), container);
        }

        foreach (var (i, container) in was.Items("containers"))
            Container(errors, new FieldPath("spec.containers").Index(i).Child("resources"), Find(spec, "containers", container), container);

        foreach (var (_, container) in was.Items("containers"))
        {
            if (!OnlyCpuAndMemory(Find(spec, "containers", container), container))
                errors.Add(FieldError.Forbidden("spec", "only cpu and memory resources are mutable"));
        }

        foreach (var (_, container) in was.Items("initContainers"))
        {
            var now = Find(spec, "initContainers", container);
            if (container.Str("restartPolicy") == "Always" ? !OnlyCpuAndMemory(now, container) : !JsonNode.DeepEquals(now, container))
            {
                errors.Add(FieldError.Forbidden("spec", container.Str("restartPolicy") == "Always"
                    ? "only cpu and memory resources for sidecar containers are mutable" : "resources for non-sidecar init containers are immutable"));
            }
        }
    }

    private static void Container(List<FieldError> errors, FieldPath path, JsonObject? now, JsonObject was)
    {
        foreach (var (list, words) in new[] { ("requests", "resource requests cannot be removed"), ("limits", "resource limits cannot be removed") })
        {
            var wanted = now.Obj("resources", list);
            if ((was.Obj("resources", list) ?? []).Any(p => wanted?.ContainsKey(p.Key) != true))
                errors.Add(FieldError.Forbidden(path.Child(list), words));
        }
    }

    private static bool OnlyCpuAndMemory(JsonObject? now, JsonObject was)
    {
        if (now is null)
            return false;
        var (a, b) = ((JsonObject)now.DeepClone(), (JsonObject)was.DeepClone());
        foreach (var one in new[] { a, b })
        {
            foreach (var list in new[] { "requests", "limits" })
            {
                one.Obj("resources", list)?.Remove("cpu");
                one.Obj("resources", list)?.Remove("memory");
                if (one.Obj("resources", list) is { Count: 0 })
                    one.Obj("resources")!.Remove(list);
            }

            one.Remove("resizePolicy");
        }

        return JsonNode.DeepEquals(a, b);
    }

    // A node that resizes tells what running containers really have.
    private static bool NodeCannot(JsonObject pod)
    {
        foreach (var (_, status) in pod.Obj("status").Items("containerStatuses"))
        {
            if (status.Obj("state").Has("running"))
                return !status.Has("resources");
        }

        return false;
    }

    private static JsonObject? Find(JsonObject spec, string list, JsonObject container) =>
        spec.Items(list).Select(static c => c.Item).FirstOrDefault(c => c.Str("name") == container.Str("name"));

    private static bool Whole(JsonObject spec) => spec.Obj("resources") is { } own && ((own.Obj("requests")?.Count ?? 0) > 0 || (own.Obj("limits")?.Count ?? 0) > 0);

    private static void Refuse(List<FieldError> errors, string why)
    {
        errors.Clear();
        errors.Add(FieldError.Forbidden(FieldPath.Root, why));
    }
}
