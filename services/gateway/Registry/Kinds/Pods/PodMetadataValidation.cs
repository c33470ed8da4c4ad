using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Annotations that mean something on pods.</summary>
internal static class PodMetadataValidation
{
    private const string Mirror = "kubernetes.io/config.mirror";
    private const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    /// <summary>Whether the pod is the image of a pod that a node runs from a file.</summary>
    public static bool IsMirror(JsonObject pod) => pod.Obj("metadata", "annotations")?.ContainsKey(Mirror) == true;

    /// <summary>Rules of the annotations of a pod or a template.</summary>
    public static void Annotations(List<FieldError> errors, FieldPath path, JsonObject owner, JsonObject spec)
    {
        if (owner.Obj("metadata", "annotations") is not { } annotations)
            return;
        if (annotations.ContainsKey(Mirror) && spec.Str("nodeName").Length == 0)
            errors.Add(FieldError.Invalid(path.Key(Mirror), annotations.Str(Mirror), "must set spec.nodeName if mirror pod annotation is set"));
        if (annotations.ContainsKey(DeletionCost) && !IsCost(annotations.Str(DeletionCost)))
            errors.Add(FieldError.Invalid(path.Key(DeletionCost), annotations.Str(DeletionCost), "must be a 32bit integer") with { Rule = Ratchet.DeletionCost });
        ProfileAnnotations.Form(errors, path, annotations, spec);
    }

    /// <summary>The mark of a mirror pod is for life.</summary>
    public static void AnnotationChanges(List<FieldError> errors, JsonObject obj, JsonObject old)
    {
        var path = new FieldPath("metadata.annotations").Key(Mirror);
        var (now, was) = (obj.Obj("metadata", "annotations"), old.Obj("metadata", "annotations"));
        if (was?.ContainsKey(Mirror) == true)
        {
            if (now?.ContainsKey(Mirror) != true || now.Str(Mirror) != was.Str(Mirror))
                errors.Add(FieldError.Forbidden(path, "may not remove or update mirror pod annotation"));
        }
        else if (now?.ContainsKey(Mirror) == true)
        {
            errors.Add(FieldError.Forbidden(path, "may not add mirror pod annotation"));
        }
    }

    // "+1" and "01" are not taken.
    private static bool IsCost(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) && cost.ToString(CultureInfo.InvariantCulture) == text;
}
