using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Pods.</summary>
internal sealed class PodStrategy() : KindStrategy(Of("", "v1", "pods"), hasStatus: true, generation: true)
{
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
        LabelKeys.Merge(obj);
        context.Warnings.AddRange(ProfileAnnotations.Sync(obj));
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
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        PodMetadataValidation.Annotations(errors, "metadata.annotations", obj, spec);
        PodSpecValidation.Spec(errors, "spec", new PodScope(spec, pod: true, obj.Name()));
        if (spec.Str("serviceAccountName").Length == 0)
            TokensWithoutAccount(errors, spec);
        foreach (var list in new[] { "containers", "initContainers" })
        {
            foreach (var (i, container) in spec.Items(list))
                ContainerValidation.Whitespace(errors, new FieldPath("spec").Child(list).Index(i), container);
        }
    }

    /// <inheritdoc/>
    public override void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if ((spec.Arr("ephemeralContainers")?.Count ?? 0) > 0)
            errors.Add(FieldError.Forbidden("spec.ephemeralContainers", "cannot be set on create"));
        if (spec.Str("nodeName").Length > 0 && spec.Items("schedulingGates").Any())
            errors.Add(FieldError.Forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
        ProfileAnnotations.Agree(errors, "spec", obj, spec);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        PodMetadataValidation.AnnotationChanges(errors, obj, old);
        PodUpdateValidation.Spec(errors, Spec(obj), Spec(old));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        switch (subresource)
        {
            case "ephemeralcontainers":
                Validate(obj, errors);
                EphemeralContainers(errors, obj, old);
                break;
            case "resize":
                Validate(obj, errors);
                PodResizeValidation.Pod(errors, obj, old);
                break;
            case "status":
                PodMetadataValidation.AnnotationChanges(errors, obj, old);
                PodStatusValidation.Change(errors, obj, old);
                break;
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

    // Of what is sent only resources and resize policies count; containers come as they are sent, so that one too many, or elsewhere, is refused.
    private static void Resize(JsonObject spec, JsonObject? wanted)
    {
        spec.Remove("resources");
        if (wanted?["resources"] is { } podLevel)
            spec["resources"] = podLevel.DeepClone();
        foreach (var list in new[] { "containers", "initContainers" })
        {
            var known = spec.Items(list).ToDictionary(static c => c.Item.Str("name"), static c => c.Item, StringComparer.Ordinal);
            var merged = new JsonArray();
            foreach (var (_, change) in wanted.Items(list))
            {
                if (!known.TryGetValue(change.Str("name"), out var container))
                {
                    merged.Add(change.DeepClone());
                    continue;
                }

                var next = (JsonObject)container.DeepClone();
                foreach (var field in new[] { "resources", "resizePolicy" })
                {
                    if (change[field] is { } value)
                        next[field] = value.DeepClone();
                    else
                        next.Remove(field);
                }

                merged.Add((JsonNode)next);
            }

            spec.Remove(list);
            if (merged.Count > 0)
                spec[list] = merged;
        }
    }

    private static void EphemeralContainers(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        if (PodMetadataValidation.IsMirror(old))
        {
            errors.Clear();
            errors.Add(FieldError.Forbidden(FieldPath.Nameless, "static pods do not support ephemeral containers"));
            return;
        }

        foreach (var (_, container) in Spec(old).Items("ephemeralContainers"))
        {
            var now = Spec(obj).Items("ephemeralContainers").FirstOrDefault(c => c.Item.Str("name") == container.Str("name")).Item;
            if (now is null)
                errors.Add(FieldError.Forbidden("spec.ephemeralContainers", $"existing ephemeral containers {GoText.Quote(container.Str("name"))} may not be removed\n"));
            else if (!JsonNode.DeepEquals(now, container))
                errors.Add(FieldError.Forbidden("spec.ephemeralContainers", $"existing ephemeral containers {GoText.Quote(container.Str("name"))} may not be changed\n"));
        }
    }

    private static void TokensWithoutAccount(List<FieldError> errors, JsonObject spec)
    {
        foreach (var (v, volume) in spec.Items("volumes"))
        {
            foreach (var (i, source) in volume.Obj("projected").Items("sources"))
            {
                if (source.Has("serviceAccountToken"))
                {
                    errors.Add(FieldError.Forbidden(
                        new FieldPath("spec.volumes").Index(v).Child("projected", "sources").Index(i).Child("serviceAccountToken"), "must not be specified when serviceAccountName is not set"));
                }
            }
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => PodWarnings.Pod(obj, old);
}
