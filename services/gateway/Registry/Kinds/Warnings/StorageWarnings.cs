using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Warnings about claims, volumes and classes.</summary>
internal static class StorageWarnings
{
    private const string ClassAnnotation = "volume.beta.kubernetes.io/storage-class";

    /// <summary>A claim.</summary>
    public static IEnumerable<string> Claim(JsonObject claim) => Annotation(claim).Concat(ClaimSpec("spec", claim.Obj("spec")));

    /// <summary>The spec of a claim or of a template of one.</summary>
    public static IEnumerable<string> ClaimSpec(FieldPath path, JsonObject? spec)
    {
        var resources = path.Child("resources");
        return Fractions.Of(resources.Child("requests"), spec.Obj("resources", "requests"), "storage")
            .Concat(Fractions.Of(resources.Child("limits"), spec.Obj("resources", "limits"), "storage"));
    }

    /// <summary>A volume.</summary>
    public static IEnumerable<string> Volume(JsonObject volume)
    {
        foreach (var warning in Annotation(volume))
            yield return warning;
        if (volume.Obj("spec").Str("persistentVolumeReclaimPolicy") == "Recycle")
            yield return "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
        foreach (var warning in NodeLabels.InTerms("spec.nodeAffinity.required", volume.Obj("spec", "nodeAffinity").Obj("required")))
            yield return warning;
    }

    /// <summary>A storage class.</summary>
    public static IEnumerable<string> Class(JsonObject storageClass) =>
        storageClass.Items("allowedTopologies").SelectMany(static t => NodeLabels.InExpressions(new FieldPath("allowedTopologies").Index(t.Index), t.Item, "matchLabelExpressions"));

    /// <summary>The capacity of a driver on some nodes.</summary>
    public static IEnumerable<string> Capacity(JsonObject capacity)
    {
        FieldPath path = "nodeTopology";
        return NodeLabels.InExpressions(path, capacity.Obj("nodeTopology"))
            .Concat(NodeLabels.InMap(path.Child("matchLabels"), capacity.Obj("nodeTopology"), "matchLabels", static (at, key) => at.Child(key)));
    }

    private static IEnumerable<string> Annotation(JsonObject obj)
    {
        if (obj.Obj("metadata", "annotations")?.ContainsKey(ClassAnnotation) == true)
            yield return $"metadata.annotations[{ClassAnnotation}]: deprecated since v1.8; use \"storageClassName\" attribute instead";
    }
}
