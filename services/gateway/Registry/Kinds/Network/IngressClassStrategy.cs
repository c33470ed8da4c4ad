using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Workloads;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>IngressClasses.</summary>
internal sealed class IngressClassStrategy() : KindStrategy(Of("networking.k8s.io", "v1", "ingressclasses"), generation: true)
{
    private const int MaxControllerLength = 250;

    /// <inheritdoc/>
    public override void Default(JsonObject obj) => obj.Obj("spec", "parameters")?.DefaultAbsent("scope", "Cluster");

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var controller = Spec(obj).Str("controller");
        if (controller.Length > MaxControllerLength)
            errors.Add(FieldError.TooLong("spec.controller", MaxControllerLength));
        JobValidation.DomainPrefixedPath(errors, "spec.controller", controller);
        if (Spec(obj).Obj("parameters") is { } parameters)
            Parameters(errors, "spec.parameters", parameters);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.controller", Spec(obj)["controller"], Spec(old)["controller"]);

    /// <summary>A reference to an object of any kind.</summary>
    public static void Reference(List<FieldError> errors, FieldPath at, JsonObject reference)
    {
        if (reference.Has("apiGroup"))
            errors.Rules(at.Child("apiGroup"), reference.Str("apiGroup"), Names.Dns1123Subdomain(reference.Str("apiGroup")));
        foreach (var field in new[] { "kind", "name" })
        {
            if (reference.Str(field).Length == 0)
                errors.Add(FieldError.Required(at.Child(field), field + " is required"));
            else
                errors.Rules(at.Child(field), reference.Str(field), Names.PathSegment(reference.Str(field)));
        }
    }

    private static void Parameters(List<FieldError> errors, FieldPath at, JsonObject parameters)
    {
        Reference(errors, at, parameters);
        switch (parameters.Str("scope"))
        {
            case "":
                errors.Add(FieldError.Required(at.Child("scope")));
                break;
            case "Namespace" when !parameters.Has("namespace"):
                errors.Add(FieldError.Required(at.Child("namespace"), "`parameters.scope` is set to 'Namespace'"));
                break;
            case "Namespace":
                errors.Rules(at.Child("namespace"), parameters.Str("namespace"), Names.Dns1123Label(parameters.Str("namespace")));
                break;
            case "Cluster":
                if (parameters.Has("namespace"))
                    errors.Add(FieldError.Forbidden(at.Child("namespace"), "`parameters.scope` is set to 'Cluster'"));
                break;
            default:
                errors.Add(FieldError.NotSupported(at.Child("scope"), parameters.Str("scope"), "Cluster", "Namespace"));
                break;
        }
    }
}
