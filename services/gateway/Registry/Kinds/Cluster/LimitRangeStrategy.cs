using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>LimitRanges.</summary>
internal sealed class LimitRangeStrategy() : KindStrategy(Of("", "v1", "limitranges"))
{
    private static readonly string[] Lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        foreach (var (_, limit) in Spec(obj).Items("limits"))
        {
            foreach (var list in Lists)
                PodDefaults.Quantities(limit.Obj(list));
            if (limit.Str("type") != "Container")
                continue;

            // A default limit falls back to the maximum, a default request to the limit or the minimum.
            foreach (var (name, value) in limit.Obj("max") ?? [])
                limit.Ensure("default").TryAdd(name, value?.DeepClone());
            foreach (var (name, value) in limit.Obj("default") ?? [])
                limit.Ensure("defaultRequest").TryAdd(name, value?.DeepClone());
            foreach (var (name, value) in limit.Obj("min") ?? [])
                limit.Ensure("defaultRequest").TryAdd(name, value?.DeepClone());
        }
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        // The one kind that needs no name.
        if (obj.Name().Length == 0)
            obj.Ensure("metadata")["name"] = Guid.NewGuid().ToString();
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, limit) in Spec(obj).Items("limits"))
        {
            var (at, type) = (new FieldPath("spec.limits").Index(i), limit.Str("type"));
            var broken = Names.QualifiedName(type);
            errors.Rules(at.Child("type"), type, broken);
            if (broken.Count == 0 && !type.Contains('/') && type is not ("Pod" or "Container" or "PersistentVolumeClaim"))
                errors.Add(FieldError.Invalid(at.Child("type"), type, "must be a standard limit type or fully qualified"));
            if (!types.Add(type))
                errors.Add(FieldError.Duplicate(at.Child("type"), type));
            Item(errors, at, limit, type);
        }
    }

    private static void Item(List<FieldError> errors, FieldPath at, JsonObject limit, string type)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var list in Lists)
        {
            if (type == "Pod" && list is ("default" or "defaultRequest"))
            {
                if (limit.Obj(list) is { Count: > 0 })
                    errors.Add(FieldError.Forbidden(at.Child(list), "may not be specified when `type` is 'Pod'"));
                continue;
            }

            if (list == "maxLimitRequestRatio" && type == "PersistentVolumeClaim" && limit.Obj("min")?["storage"] is null && limit.Obj("max")?["storage"] is null)
                errors.Add(FieldError.Required(at.Child("limits"), "either minimum or maximum storage value is required, but neither was provided"));
            foreach (var (name, _) in limit.Obj(list) ?? [])
            {
                if (type is "Pod" or "Container")
                    ResourceNames.Container(errors, at.Child(list).Key(name), name);
                else
                    ResourceNames.Any(errors, at.Child(list).Key(name), name);
                names.Add(name);
            }
        }

        foreach (var name in names)
            Order(errors, at, limit, name, type);
    }

    private static void Order(List<FieldError> errors, FieldPath at, JsonObject limit, string name, string type)
    {
        Quantity? Of(string list) => type == "Pod" && list.StartsWith("default", StringComparison.Ordinal) ? null
            : Quantity.TryParse(limit.Obj(list)?[name]?.ToString(), out var amount) ? amount : null;
        var (min, max, limits, requests, ratio) = (Of("min"), Of("max"), Of("default"), Of("defaultRequest"), Of("maxLimitRequestRatio"));
        void Wrong(string list, Quantity? value, string why) => errors.Add(FieldError.Invalid(at.Child(list).Key(name), value?.ToString(), why));

        if (min > max)
            Wrong("min", min, $"min value {min} is greater than max value {max}");
        if (min > requests)
            Wrong("defaultRequest", requests, $"min value {min} is greater than default request value {requests}");
        if (requests > max)
            Wrong("defaultRequest", requests, $"default request value {requests} is greater than max value {max}");
        if (requests > limits)
            Wrong("defaultRequest", requests, $"default request value {requests} is greater than default limit value {limits}");
        if (min > limits)
            Wrong("default", min, $"min value {min} is greater than default value {limits}");
        if (limits > max)
            Wrong("default", max, $"default value {limits} is greater than max value {max}");
        if (ratio < Quantity.FromValue(1))
            Wrong("maxLimitRequestRatio", ratio, $"ratio {ratio} is less than 1");
        if (ratio is { } most && min is { Sign: > 0 } low && max is { } high && most.ToDouble() > high.ToDouble() / low.ToDouble())
            Wrong("maxLimitRequestRatio", ratio, $"ratio {ratio} is greater than max/min = {(high.ToDouble() / low.ToDouble()).ToString("F6", CultureInfo.InvariantCulture)}");
        if (!ResourceNames.MayOvercommit(name) && limits is not null && requests is not null && limits != requests)
            Wrong("defaultRequest", requests, $"default value {limits} must equal to defaultRequest value {requests} in {name}");
    }
}
