using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>PodTemplates.</summary>
internal sealed class PodTemplateStrategy() : KindStrategy(Of("", "v1", "podtemplates"), generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        obj.Ensure("template");
        PodDefaults.Template(obj.Obj("template"));
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => PodSpecValidation.Template(errors, "template", obj.Obj("template") ?? []);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => PodWarnings.Template("template", obj.Obj("template"));
}
