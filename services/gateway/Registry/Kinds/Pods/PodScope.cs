using System.Text.Json.Nodes;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>What the rules of a part of a pod's spec must know of the rest of it.</summary>
internal sealed class PodScope
{
    /// <summary>Of a spec; pod: it is a pod's own and not a template's.</summary>
    public PodScope(JsonObject spec, bool pod, string podName = "")
    {
        (Spec, IsPod, PodName) = (spec, pod, podName);
        ClaimNames = spec.Items("resourceClaims").Select(c => c.Item.Str("name")).Where(n => n.Length > 0).ToHashSet(StringComparer.Ordinal);
    }

    public JsonObject Spec { get; }

    public bool IsPod { get; }

    /// <summary>The name claims of ephemeral volumes begin with; "" in templates.</summary>
    public string PodName { get; }

    /// <summary>The well-formed volumes by name.</summary>
    public Dictionary<string, JsonObject> Volumes { get; } = new(StringComparer.Ordinal);

    /// <summary>Names in spec.resourceClaims.</summary>
    public IReadOnlySet<string> ClaimNames { get; }

    public string RestartPolicy => Spec.Str("restartPolicy");

    public long? GracePeriod => Spec.Num("terminationGracePeriodSeconds");

    /// <summary>Whether the pod lives in the host's user namespace (the default).</summary>
    public bool HostUsers => Spec["hostUsers"] is null || Spec.Bool("hostUsers");
}
