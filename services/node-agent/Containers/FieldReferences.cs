using System.Globalization;
using System.Text;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Containers;

/// <summary>What downward references may name beside the pod itself.</summary>
internal sealed record PodFacts
{
    public string NodeName { get; init; } = "";

    public IReadOnlyList<string> HostIPs { get; init; } = [];

    public IReadOnlyList<string> PodIPs { get; init; } = [];

    /// <summary>What the node has for pods: the value of a limit that a container does not set.</summary>
    public IReadOnlyDictionary<string, string> Allocatable { get; init; } = new Dictionary<string, string>();
}

/// <summary>Values of fieldRef and resourceFieldRef, for variables and for downward API files.</summary>
internal static class FieldReferences
{
    /// <summary>The field's text. Throws ContainerConfigException for a path that is not supported.</summary>
    public static string Field(Pod pod, string path, PodFacts facts)
    {
        if (Subscript(path) is var (basePath, key))
        {
            var map = basePath == "metadata.labels" ? pod.Metadata.Labels : basePath == "metadata.annotations" ? pod.Metadata.Annotations : null;
            return basePath is "metadata.labels" or "metadata.annotations"
                ? map is not null && map.TryGetValue(key, out var value) ? value : ""
                : throw new ContainerConfigException($"unsupported fieldPath: {path}");
        }

        return path switch
        {
            "metadata.name" => pod.Metadata.Name ?? "",
            "metadata.namespace" => pod.Metadata.Namespace ?? "",
            "metadata.uid" => pod.Metadata.Uid ?? "",
            "metadata.labels" => Lines(pod.Metadata.Labels),
            "metadata.annotations" => Lines(pod.Metadata.Annotations),
            "spec.nodeName" => pod.Spec?.NodeName ?? facts.NodeName,
            "spec.serviceAccountName" => pod.Spec?.ServiceAccountName ?? "",
            "status.hostIP" => facts.HostIPs is [var host, ..] ? host : "",
            "status.hostIPs" => string.Join(',', facts.HostIPs),
            "status.podIP" => facts.PodIPs is [var ip, ..] ? ip : "",
            "status.podIPs" => string.Join(',', facts.PodIPs),
            _ => throw new ContainerConfigException($"unsupported fieldPath: {path}"),
        };
    }

    /// <summary>A container's request or limit in units of the divisor, rounded up.</summary>
    public static string Resource(Pod pod, Container container, ResourceFieldSelector selector, PodFacts facts)
    {
        var text = selector.Resource ?? "";
        var (kind, name) = text.Split('.', 2) is [var k, var n] ? (k, n) : ("", "");
        if (kind is not ("limits" or "requests"))
            throw new ContainerConfigException($"Unsupported container resource : {text}");
        var limits = container.Resources?.Limits;
        var set = kind == "limits" ? limits : container.Resources?.Requests;
        var amount = ResourceMath.Get(set, name);
        if (amount.IsZero && kind == "limits")
            amount = ResourceMath.Get(facts.Allocatable, name);
        var divisor = selector.Divisor is { Length: > 0 } d && Quantity.TryParse(d, out var parsed) && !parsed.IsZero ? parsed : Quantity.FromValue(1);
        var result = (amount.Nanos + divisor.Nanos - 1) / divisor.Nanos;
        return result.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>metadata.labels['key'] → its parts.</summary>
    private static (string Path, string Key)? Subscript(string path)
    {
        var open = path.IndexOf("['", StringComparison.Ordinal);
        return open > 0 && path.EndsWith("']", StringComparison.Ordinal) ? (path[..open], path[(open + 2)..^2]) : null;
    }

    /// <summary>One key="value" a line, sorted, values quoted as Go quotes them.</summary>
    private static string Lines(Dictionary<string, string>? map)
    {
        if (map is null)
            return "";
        return string.Join('\n', map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={Quote(p.Value)}"));
    }

    private static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            text.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => c.ToString(),
            });
        }

        return text.Append('"').ToString();
    }
}

/// <summary>A container cannot be configured (CreateContainerConfigError); the message is for users.</summary>
internal sealed class ContainerConfigException(string message) : Exception(message);
