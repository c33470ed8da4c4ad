using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Workloads;

/// <summary>Rules of what a HorizontalPodAutoscaler looks at and of how fast it goes.</summary>
internal static class AutoscalerValidation
{
    private const int MaxPeriodSeconds = 1800;
    private const int MaxWindowSeconds = 3600;

    // Type of a metric and the field that describes it, in the order in which they are looked at.
    private static readonly (string Type, string Field)[] Sources =
        [("Object", "object"), ("External", "external"), ("Pods", "pods"), ("Resource", "resource"), ("ContainerResource", "containerResource")];

    private static readonly string[] Types = ["ContainerResource", "External", "Object", "Pods", "Resource"];

    /// <summary>A reference to an object of whatever version.</summary>
    public static void Reference(List<FieldError> errors, FieldPath at, JsonObject? reference)
    {
        foreach (var field in new[] { "kind", "name" })
        {
            var value = reference.Str(field);
            if (value.Length == 0)
                errors.Add(FieldError.Required(at.Child(field)));
            else
                errors.Rules(at.Child(field), value, Names.PathSegment(value));
        }
    }

    /// <summary>The apiVersion of a reference names a group, unless the kind may be in the core group; rule: see <see cref="Ratchet"/>.</summary>
    public static void Version(List<FieldError> errors, FieldPath at, JsonObject? reference, bool mayBeCore, string rule)
    {
        var version = reference.Str("apiVersion");
        if (version.Count(static c => c == '/') > 1)
            errors.Add(FieldError.Invalid(at.Child("apiVersion"), version, "unexpected GroupVersion string: " + version) with { Rule = rule });
        else if (!mayBeCore && version.IndexOf('/', StringComparison.Ordinal) <= 0)
            errors.Add(FieldError.Invalid(at.Child("apiVersion"), version, "apiVersion must specify API group") with { Rule = rule });
    }

    public static void Metrics(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var (i, metric) in spec.Items("metrics"))
            Metric(errors, path.Index(i), metric);
    }

    public static void Behavior(List<FieldError> errors, FieldPath path, JsonObject? behavior)
    {
        foreach (var direction in new[] { "scaleUp", "scaleDown" })
        {
            if (behavior.Obj(direction) is { } rules)
                Rules(errors, path.Child(direction), rules);
        }
    }

    private static void Metric(List<FieldError> errors, FieldPath at, JsonObject metric)
    {
        var type = metric.Str("type");
        if (type.Length == 0)
            errors.Add(FieldError.Required(at.Child("type"), "must specify a metric source type"));
        errors.Supported(at.Child("type"), type, Types);
        var given = Sources.Where(s => metric.Has(s.Field)).Select(static s => s.Field).ToList();
        if (given.Count > 0)
            Source(errors, at.Child(given[0]), given[0], metric.Obj(given[0]) ?? []);
        var expected = Sources.FirstOrDefault(s => s.Type == type).Field;
        if (expected is not null && !metric.Has(expected))
            errors.Add(FieldError.Required(at.Child(expected), "must populate information for the given metric source"));
        foreach (var other in given.Count == 1 ? [] : given.Where(f => f != expected))
            errors.Add(FieldError.Forbidden(at.Child(other), "must populate the given metric source only"));
    }

    private static void Source(List<FieldError> errors, FieldPath at, string kind, JsonObject source)
    {
        var target = source.Obj("target");
        switch (kind)
        {
            case "object":
                Reference(errors, at.Child("describedObject"), source.Obj("describedObject"));
                Version(errors, at.Child("describedObject"), source.Obj("describedObject"), mayBeCore: true, Ratchet.MetricGroup);
                Identifier(errors, at.Child("metric"), source);
                Target(errors, at.Child("target"), target);
                if (!target.Has("value") && !target.Has("averageValue"))
                    errors.Add(FieldError.Required(at.Child("target", "averageValue"), "must set either a target value or averageValue"));
                break;
            case "external":
                Identifier(errors, at.Child("metric"), source);
                Target(errors, at.Child("target"), target);
                if (!target.Has("value") && !target.Has("averageValue"))
                    errors.Add(FieldError.Required(at.Child("target", "averageValue"), "must set either a target value for metric or a per-pod target"));
                if (target.Has("value") && target.Has("averageValue"))
                    errors.Add(FieldError.Forbidden(at.Child("target", "value"), "may not set both a target value for metric and a per-pod target"));
                break;
            case "pods":
                Identifier(errors, at.Child("metric"), source);
                Target(errors, at.Child("target"), target);
                if (!target.Has("averageValue"))
                    errors.Add(FieldError.Required(at.Child("target", "averageValue"), "must specify a positive target averageValue"));
                break;
            default:
                Resource(errors, at, kind, source, target);
                break;
        }
    }

    private static void Resource(List<FieldError> errors, FieldPath at, string kind, JsonObject source, JsonObject? target)
    {
        if (source.Str("name").Length == 0)
            errors.Add(FieldError.Required(at.Child("name"), "must specify a resource name"));
        else if (kind == "containerResource")
            Pods.ResourceNames.Container(errors, at.Child("name"), source.Str("name"));
        if (kind == "containerResource")
        {
            if (source.Str("container").Length == 0)
                errors.Add(FieldError.Required(at.Child("container"), "must specify a container"));
            else
                errors.Rules(at.Child("container"), source.Str("container"), Names.Dns1123Label(source.Str("container")));
        }

        Target(errors, at.Child("target"), target);
        if (!target.Has("averageUtilization") && !target.Has("averageValue"))
            errors.Add(FieldError.Required(at.Child("target", "averageUtilization"), "must set either a target raw value or a target utilization"));
        if (target.Has("averageUtilization") && target.Has("averageValue"))
            errors.Add(FieldError.Forbidden(at.Child("target", "averageValue"), "may not set both a target raw value and a target utilization"));
    }

    private static void Identifier(List<FieldError> errors, FieldPath at, JsonObject source)
    {
        var name = source.Obj("metric").Str("name");
        if (name.Length == 0)
            errors.Add(FieldError.Required(at.Child("name"), "must specify a metric name"));
        else
            errors.Rules(at.Child("name"), name, Names.PathSegment(name));
    }

    private static void Target(List<FieldError> errors, FieldPath at, JsonObject? target)
    {
        var type = target.Str("type");
        if (type.Length == 0)
            errors.Add(FieldError.Required(at.Child("type"), "must specify a metric target type"));
        if (type is not ("Utilization" or "Value" or "AverageValue"))
            errors.Add(FieldError.Invalid(at.Child("type"), type, "must be either Utilization, Value, or AverageValue"));
        foreach (var field in new[] { "value", "averageValue" })
        {
            if (target.Has(field) && (!Quantity.TryParse(target.Str(field), out var amount) || amount.Sign <= 0))
                errors.Add(FieldError.Invalid(at.Child(field), target![field], "must be positive"));
        }

        if (target.Num("averageUtilization") is < 1 and var percent)
            errors.Add(FieldError.Invalid(at.Child("averageUtilization"), percent, "must be greater than 0"));
    }

    private static void Rules(List<FieldError> errors, FieldPath at, JsonObject rules)
    {
        if (rules.Num("stabilizationWindowSeconds") is { } window)
        {
            if (window < 0)
                errors.Add(FieldError.Invalid(at.Child("stabilizationWindowSeconds"), window, "must be greater than or equal to zero"));
            if (window > MaxWindowSeconds)
                errors.Add(FieldError.Invalid(at.Child("stabilizationWindowSeconds"), window, $"must be less than or equal to {MaxWindowSeconds}"));
        }

        if (rules.Has("selectPolicy"))
            errors.Supported(at.Child("selectPolicy"), rules.Str("selectPolicy"), "Disabled", "Max", "Min");
        if (!rules.Items("policies").Any())
            errors.Add(FieldError.Required(at.Child("policies"), "must specify at least one Policy"));
        foreach (var (i, policy) in rules.Items("policies"))
        {
            var path = at.Child("policies").Index(i);
            errors.Supported(path.Child("type"), policy.Str("type"), "Percent", "Pods");
            if ((policy.Num("value") ?? 0) <= 0)
                errors.Add(FieldError.Invalid(path.Child("value"), policy.Num("value") ?? 0, "must be greater than zero"));
            var period = policy.Num("periodSeconds") ?? 0;
            if (period <= 0)
                errors.Add(FieldError.Invalid(path.Child("periodSeconds"), period, "must be greater than zero"));
            if (period > MaxPeriodSeconds)
                errors.Add(FieldError.Invalid(path.Child("periodSeconds"), period, $"must be less than or equal to {MaxPeriodSeconds}"));
        }
    }
}
