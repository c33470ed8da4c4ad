using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>
/// What may change through pods/resize (KEP-1287, KEP-5419): CPU and memory of containers, init containers and the pod itself, without taking any
/// away, within one class of service.
/// </summary>
internal static class PodResizeValidation
{
    private const string Only = "only cpu and memory resources";
    private static readonly string[] Lists = ["requests", "limits"];

    public static void Pod(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        var (spec, was) = (obj.Obj("spec") ?? [], old.Obj("spec") ?? []);
        if (PodMetadataValidation.IsMirror(old))
            Refuse(errors, "static pods cannot be resized");
        else if (was.Obj("os").Str("name") == "windows")
            Refuse(errors, "windows pods cannot be resized");
        else
            Changes(errors, spec, was, old);
    }

    private static void Changes(List<FieldError> errors, JsonObject spec, JsonObject was, JsonObject old)
    {
        var before = errors.Count;
        var quality = old.Obj("status").Str("qosClass") is { Length: > 0 } decided ? decided : QosClass.Of(was);
        if (QosClass.Of(spec) != quality)
            errors.Add(FieldError.Invalid("spec", quality, "Pod QOS Class may not change as a result of resizing"));
        if (NodeCannot(old))
            errors.Add(FieldError.Forbidden("spec", "Pod running on node without support for resize"));
        if (Whole(spec) || Whole(was))
            PodLevel(errors, "spec", spec, was);
        if (!SameContainers(errors, spec, was))
            return;
        foreach (var list in new[] { "initContainers", "containers" })
        {
            foreach (var (i, container) in was.Items(list))
                NothingRemoved(errors, new FieldPath("spec").Child(list).Index(i).Child("resources"), At(spec, list, i).Obj("resources"), container.Obj("resources"), "resource");
        }

        foreach (var (i, container) in was.Items("containers"))
        {
            if (!SameBesides(At(spec, "containers", i), container))
                errors.Add(FieldError.Forbidden("spec", Only + " are mutable"));
        }

        foreach (var (i, container) in was.Items("initContainers"))
            InitContainer(errors, new FieldPath("spec.initContainers").Index(i), At(spec, "initContainers", i), container);
        if (errors.Count == before && !SameRest(spec, was))
            errors.Add(FieldError.Forbidden("spec", Only + " are mutable"));
    }

    private static void PodLevel(List<FieldError> errors, FieldPath path, JsonObject spec, JsonObject was)
    {
        if (was.Has("resources") && !spec.Has("resources"))
        {
            errors.Add(FieldError.Forbidden(path.Child("resources"), "pod-level resources cannot be removed"));
            return;
        }

        NothingRemoved(errors, path.Child("resources"), spec.Obj("resources"), was.Obj("resources"), "pod-level resource");
        if (!JsonAccess.Same(Besides(spec.Obj("resources")), Besides(was.Obj("resources"))))
            errors.Add(FieldError.Forbidden(path, Only + " are mutable at pod-level"));
    }

    private static void InitContainer(List<FieldError> errors, FieldPath path, JsonObject now, JsonObject was)
    {
        if (!SameBesides(now, was))
            errors.Add(FieldError.Forbidden(path, Only + " for init or sidecar containers are mutable"));
        var restarts = now.Items("resizePolicy").Any(static p => p.Item.Str("restartPolicy") == "RestartContainer");
        if (restarts && now.Str("restartPolicy") != "Always" && !JsonNode.DeepEquals(now, was))
            errors.Add(FieldError.Forbidden(path, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"));
    }

    private static bool SameContainers(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        var before = errors.Count;
        foreach (var list in new[] { "containers", "initContainers" })
        {
            var (now, old) = (spec.Items(list).ToList(), was.Items(list).ToList());
            if (now.Count != old.Count)
            {
                errors.Add(FieldError.Forbidden(new FieldPath("spec").Child(list), list + " may not be added or removed on resize"));
                continue;
            }

            foreach (var (i, container) in old)
            {
                if (now[i].Item.Str("name") != container.Str("name"))
                    errors.Add(FieldError.Forbidden(new FieldPath("spec").Child(list).Index(i).Child("name"), list + " may not be renamed or reordered on resize"));
            }
        }

        return errors.Count == before;
    }

    private static void NothingRemoved(List<FieldError> errors, FieldPath path, JsonObject? now, JsonObject? was, string what)
    {
        foreach (var list in Lists)
        {
            var wanted = now.Obj(list);
            if ((was.Obj(list) ?? []).Any(p => wanted?.ContainsKey(p.Key) != true))
                errors.Add(FieldError.Forbidden(path.Child(list), $"{what} {list} cannot be removed"));
        }
    }

    private static bool SameBesides(JsonObject now, JsonObject was)
    {
        var (a, b) = ((JsonObject)now.DeepClone(), (JsonObject)was.DeepClone());
        foreach (var one in new[] { a, b })
        {
            var rest = Besides(one.Obj("resources"));
            one.Remove("resources");
            if (rest.Count > 0)
                one["resources"] = rest;
        }

        return JsonNode.DeepEquals(a, b);
    }

    /// <summary>Resources without CPU and memory, and without what is empty then.</summary>
    private static JsonObject Besides(JsonObject? resources)
    {
        var copy = (JsonObject?)resources?.DeepClone() ?? [];
        foreach (var list in Lists)
        {
            copy.Obj(list)?.Remove("cpu");
            copy.Obj(list)?.Remove("memory");
            if (copy.Obj(list) is { Count: 0 })
                copy.Remove(list);
        }

        return copy;
    }

    private static bool SameRest(JsonObject spec, JsonObject was)
    {
        var (a, b) = ((JsonObject)spec.DeepClone(), (JsonObject)was.DeepClone());
        foreach (var name in new[] { "resources", "containers", "initContainers" })
        {
            a.Remove(name);
            b.Remove(name);
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

    private static JsonObject At(JsonObject spec, string list, int index) => (JsonObject)spec.Arr(list)![index]!;

    private static bool Whole(JsonObject spec) => spec.Obj("resources") is { } own && ((own.Obj("requests")?.Count ?? 0) > 0 || (own.Obj("limits")?.Count ?? 0) > 0);

    private static void Refuse(List<FieldError> errors, string why)
    {
        errors.Clear();
        errors.Add(FieldError.Forbidden(FieldPath.Nameless, why));
    }
}
