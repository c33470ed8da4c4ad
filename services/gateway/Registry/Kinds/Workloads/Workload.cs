using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Rules that workloads share.</summary>
internal static class Workload
{
    /// <summary>spec.selector: there, well formed, not empty.</summary>
    public static void Selector(List<FieldError> errors, JsonObject spec, string kind)
    {
        if (spec.Obj("selector") is not { } selector)
        {
            errors.Add(FieldError.Required("spec.selector"));
            return;
        }

        errors.LabelSelector("spec.selector", selector, valueRule: null);
        if (Check.SelectorIsEmpty(selector))
            errors.Add(FieldError.Invalid("spec.selector", selector, $"empty selector is invalid for {kind}"));
    }

    /// <summary>Whether spec.selector selects the pods of spec.template; an absent one selects nothing, a broken one says neither.</summary>
    public static bool? SelectorFits(JsonObject spec)
    {
        if (spec.Obj("selector") is not { } selector)
            return false;
        var broken = new List<FieldError>();
        broken.LabelSelector("selector", selector);
        return broken.Count > 0 ? null : Check.SelectorMatches(selector, spec.Obj("template").Obj("metadata", "labels"));
    }

    /// <summary>spec.template of pods that are to keep running, when the selector can be read.</summary>
    public static void SelectedTemplate(List<FieldError> errors, JsonObject spec, string kind)
    {
        if (SelectorFits(spec) is not { } fits)
            errors.Add(FieldError.Invalid("spec.selector", spec["selector"], "invalid label selector"));
        else
            PodSpecValidation.RunningTemplate(errors, "spec.template", spec.Obj("template"), spec.Obj("selector"), fits, kind);
    }

    /// <summary>maxUnavailable and maxSurge: numbers or percentages, not both zero.</summary>
    public static void RollingUpdate(List<FieldError> errors, FieldPath path, JsonObject? rolling)
    {
        if (rolling is null)
        {
            errors.Add(FieldError.Required(path, "this should be defaulted and never be nil"));
            return;
        }

        var (unavailable, surge) = (rolling.IntStr("maxUnavailable"), rolling.IntStr("maxSurge"));
        errors.PositiveIntOrPercent(path.Child("maxUnavailable"), unavailable);
        errors.PositiveIntOrPercent(path.Child("maxSurge"), surge);
        if (IsZero(unavailable) && IsZero(surge))
            errors.Add(FieldError.Invalid(path.Child("maxUnavailable"), unavailable?.ToNode(), "may not be 0 when `maxSurge` is 0"));
        errors.NotMoreThan100Percent(path.Child("maxUnavailable"), unavailable);
    }

    public static bool IsZero(IntOrString? value) => value is { } given && (given.TryGetPercent(out var percent) ? percent == 0 : !given.IsString && given.IntValue == 0);

    /// <summary>Status numbers do not go below zero nor back.</summary>
    public static void Status(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        var status = obj.Obj("status");
        foreach (var field in new[] { "replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "unavailableReplicas", "fullyLabeledReplicas", "observedGeneration", "currentReplicas" })
            errors.NonNegative(new FieldPath("status").Child(field), status.Num(field));
        foreach (var field in new[] { "readyReplicas", "availableReplicas", "fullyLabeledReplicas", "updatedReplicas", "currentReplicas" })
        {
            if (status.Num(field) > (status.Num("replicas") ?? 0))
                errors.Add(FieldError.Invalid(new FieldPath("status").Child(field), status.Num(field), "cannot be greater than status.replicas"));
        }

        if (status.Num("availableReplicas") > (status.Num("readyReplicas") ?? 0))
            errors.Add(FieldError.Invalid("status.availableReplicas", status.Num("availableReplicas"), "cannot be greater than readyReplicas"));
        if (status.Num("collisionCount") is var count && old.Obj("status").Num("collisionCount") is { } was && (count ?? 0) < was)
            errors.Add(FieldError.Invalid("status.collisionCount", count ?? 0, "cannot be decremented"));
    }
}
