using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Pods.</summary>
internal sealed class PodStrategy() : KindStrategy(Of("", "v1", "pods"), hasStatus: true, generation: true)
{
    private const string AllowedChanges =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        + "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    private static readonly string[] Fields =
    [
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName",
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj)
    {
        var (spec, status) = (obj.Obj("spec"), obj.Obj("status"));
        var ip = status.Items("podIPs").Select(p => p.Item.Str("ip")).FirstOrDefault() ?? status.Str("podIP");
        return
        [
            spec.Str("nodeName"), spec.Str("restartPolicy"), spec.Str("schedulerName"), spec.Str("serviceAccountName"), spec.Bool("hostNetwork") ? "true" : "false",
            status.Str("phase"), ip, status.Str("nominatedNodeName"),
        ];
    }

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => PodDefaults.Pod(obj);

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = QosClass.Of(Spec(obj)) };
        if (Spec(obj).Items("schedulingGates").Any())
        {
            obj.Obj("status")!["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
            });
        }
    }

    /// <inheritdoc/>
    public override void PrepareForSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, StrategyContext context)
    {
        var wanted = obj.Obj("spec")?.DeepClone() as JsonObject;
        base.PrepareForSubresourceUpdate(subresource, obj, old, context);
        if (subresource == "status")
        {
            // The class is decided once.
            if (old.Obj("status").Has("qosClass"))
                obj.Ensure("status").Default("qosClass", old.Obj("status").Str("qosClass"));
            return;
        }

        PutBack("status", obj, old);
        var spec = obj.Ensure("spec");
        if (subresource == "ephemeralcontainers" && wanted?["ephemeralContainers"] is { } containers)
            spec["ephemeralContainers"] = containers.DeepClone();
        if (subresource == "resize")
            Resize(spec, wanted);
        CountGeneration(obj, old);
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => PodSpecValidation.Spec(errors, "spec", Spec(obj));

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        foreach (var list in new[] { "containers", "initContainers" })
        {
            if ((spec.Arr(list)?.Count ?? 0) != (was.Arr(list)?.Count ?? 0))
            {
                errors.Add(FieldError.Forbidden(new FieldPath("spec").Child(list), "pod updates may not add or remove containers"));
                return;
            }
        }

        Deadline(errors, spec.Num("activeDeadlineSeconds"), was.Num("activeDeadlineSeconds"));
        if (!IsAddition(spec.Arr("tolerations"), was.Arr("tolerations")))
            errors.Add(FieldError.Forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
        Gates(errors, spec, was);

        var changed = (JsonObject)spec.DeepClone();
        var allowed = (JsonObject)was.DeepClone();
        foreach (var one in new[] { changed, allowed })
        {
            foreach (var name in new[] { "activeDeadlineSeconds", "tolerations", "schedulingGates" })
                one.Remove(name);
            foreach (var (_, container) in one.Items("containers").Concat(one.Items("initContainers")))
                container.Remove("image");
        }

        if (changed.Num("terminationGracePeriodSeconds") == 1 && allowed.Num("terminationGracePeriodSeconds") < 0)
            allowed["terminationGracePeriodSeconds"] = 1;
        if (was.Items("schedulingGates").Any())
            AllowGatedChanges(changed, allowed);
        if (!JsonNode.DeepEquals(changed, allowed))
            errors.Add(FieldError.Forbidden("spec", AllowedChanges));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        if (subresource == "ephemeralcontainers")
        {
            PodSpecValidation.Spec(errors, "spec", Spec(obj));
            foreach (var (i, container) in Spec(old).Items("ephemeralContainers"))
            {
                var now = Spec(obj).Items("ephemeralContainers").FirstOrDefault(c => c.Item.Str("name") == container.Str("name")).Item;
                if (now is null)
                    errors.Add(FieldError.Forbidden("spec.ephemeralContainers", $"existing ephemeral containers {GoText.Quote(container.Str("name"))} may not be removed\n"));
                else if (!JsonNode.DeepEquals(now, container))
                    errors.Add(FieldError.Forbidden("spec.ephemeralContainers", $"existing ephemeral containers {GoText.Quote(container.Str("name"))} may not be changed\n"));
            }
        }
        else if (subresource == "resize")
        {
            PodSpecValidation.Spec(errors, "spec", Spec(obj));
            if (QosClass.Of(Spec(obj)) != old.Obj("status").Str("qosClass") && old.Obj("status").Has("qosClass"))
                errors.Add(FieldError.Invalid("spec", QosClass.Of(Spec(obj)), "Pod QOS Class may not change as a result of resizing"));
        }
        else if (subresource == "status" && Spec(obj).Str("nodeName") != Spec(old).Str("nodeName"))
        {
            errors.Add(FieldError.Forbidden("status.nodeName", "may not be changed directly"));
        }
    }

    /// <inheritdoc/>
    public override long? GracePeriod(JsonObject obj, long? requested)
    {
        var spec = Spec(obj);
        if (spec.Str("nodeName").Length == 0 || obj.Obj("status").Str("phase") is "Succeeded" or "Failed")
            return 0;
        var period = requested ?? spec.Num("terminationGracePeriodSeconds") ?? 0;
        return period < 0 ? 1 : period;
    }

    private static void Resize(JsonObject spec, JsonObject? wanted)
    {
        foreach (var list in new[] { "containers", "initContainers" })
        {
            foreach (var (_, container) in spec.Items(list))
            {
                var change = wanted.Items(list).FirstOrDefault(c => c.Item.Str("name") == container.Str("name")).Item;
                foreach (var field in new[] { "resources", "resizePolicy" })
                {
                    if (change?[field] is { } value)
                        container[field] = value.DeepClone();
                }
            }
        }
    }

    private static void Deadline(List<FieldError> errors, long? now, long? was)
    {
        if (now is null && was is not null)
            errors.Add(FieldError.Invalid("spec.activeDeadlineSeconds", null, "must not update from a positive integer to nil value"));
        else if (now > was)
            errors.Add(FieldError.Invalid("spec.activeDeadlineSeconds", now, "must be less than or equal to previous value"));
    }

    private static bool IsAddition(JsonArray? now, JsonArray? was)
    {
        return was is null || was.All(t => now?.Any(n => JsonNode.DeepEquals(Timeless(n), Timeless(t))) == true);

        static JsonNode? Timeless(JsonNode? toleration)
        {
            var copy = toleration?.DeepClone();
            (copy as JsonObject)?.Remove("tolerationSeconds");
            return copy;
        }
    }

    private static void Gates(List<FieldError> errors, JsonObject spec, JsonObject was)
    {
        var before = was.Items("schedulingGates").Select(g => g.Item.Str("name")).ToHashSet(StringComparer.Ordinal);
        foreach (var (i, gate) in spec.Items("schedulingGates"))
        {
            if (!before.Contains(gate.Str("name")))
                errors.Add(FieldError.Forbidden(new FieldPath("spec.schedulingGates").Index(i).Child("name"), "only deletion is allowed, but found new scheduling gate '" + gate.Str("name") + "'"));
        }
    }

    // A pod that waits behind gates may still be told where it may not run.
    private static void AllowGatedChanges(JsonObject changed, JsonObject allowed)
    {
        var added = changed.Obj("nodeSelector") ?? [];
        if (allowed.Map("nodeSelector").All(p => added.Str(p.Key) == p.Value))
        {
            changed.Remove("nodeSelector");
            allowed.Remove("nodeSelector");
        }
    }
}
