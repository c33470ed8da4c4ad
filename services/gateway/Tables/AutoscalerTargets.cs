using System.Text.Json.Nodes;
using Mesh.Gateway.Registry.Kinds;

namespace Mesh.Gateway.Tables;

/// <summary>The Targets cell of an autoscaler: current over wanted value of each metric.</summary>
internal static class AutoscalerTargets
{
    private const int Shown = 2;

    public static string Text(JsonObject? spec, JsonObject? status)
    {
        // autoscaling/v1 knows the CPU only.
        if (spec.Num("targetCPUUtilizationPercentage") is { } wanted)
            return $"cpu: {(status.Num("currentCPUUtilizationPercentage") is { } cpu ? cpu + "%" : Cell.Unknown)}/{wanted}%";
        var metrics = spec.Items("metrics").ToList();
        if (metrics.Count == 0)
            return Cell.None;
        var current = status.Items("currentMetrics").Select(m => m.Item).ToList();
        var texts = metrics.Select(m => One(m.Item, m.Index < current.Count ? current[m.Index] : null)).ToList();
        return texts.Count > Shown ? string.Join(", ", texts.Take(Shown)) + $" + {texts.Count - Shown} more..." : string.Join(", ", texts);
    }

    private static string One(JsonObject metric, JsonObject? current)
    {
        var field = metric.Str("type") switch
        {
            "Resource" => "resource",
            "ContainerResource" => "containerResource",
            "Pods" => "pods",
            "Object" => "object",
            "External" => "external",
            _ => string.Empty,
        };
        var (target, now) = (metric.Obj(field, "target"), current.Obj(field, "current"));
        var name = field is "resource" or "containerResource" ? metric.Obj(field).Str("name") + ": " : string.Empty;
        if (target.Num("averageUtilization") is { } percent)
            return $"{name}{(now.Num("averageUtilization") is { } at ? at + "%" : Cell.Unknown)}/{percent}%";
        if (target?["averageValue"] is { } average)
            return $"{name}{now?["averageValue"]?.ToString() ?? Cell.Unknown}/{average}{(field is "external" or "object" ? " (avg)" : string.Empty)}";
        return $"{name}{now?["value"]?.ToString() ?? Cell.Unknown}/{target?["value"]?.ToString() ?? Cell.Unknown}";
    }
}
