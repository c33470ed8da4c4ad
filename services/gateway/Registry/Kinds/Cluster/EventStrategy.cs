using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Events, in both of their API groups.</summary>
internal sealed class EventStrategy(string group) : KindStrategy(Of(group, "v1", "events"))
{
    private static readonly string[] Fields =
    [
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
        "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    ];

    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj)
    {
        var target = obj.Obj("involvedObject") ?? obj.Obj("regarding");
        var source = (obj.Obj("source") ?? obj.Obj("deprecatedSource")).Str("component");
        var reporter = obj.Str("reportingComponent") is { Length: > 0 } component ? component : obj.Str("reportingController");
        return
        [
            target.Str("kind"), target.Str("namespace"), target.Str("name"), target.Str("uid"), target.Str("apiVersion"),
            target.Str("resourceVersion"), target.Str("fieldPath"), obj.Str("reason"), reporter, source.Length > 0 ? source : reporter, obj.Str("type"),
        ];
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var name = obj.Has("involvedObject") ? "involvedObject" : "regarding";
        var about = obj.Obj(name).Str("namespace");
        var ns = obj.Namespace();
        if (about.Length == 0 ? ns is not ("default" or "kube-system" or "") && obj.Obj(name).Str("kind") is not ("Node" or "Namespace") : about != ns)
            errors.Add(FieldError.Invalid(new FieldPath(name).Child("namespace"), about, "does not match event.namespace"));
        if (group.Length > 0 && !obj.Has("deprecatedFirstTimestamp"))
            NewStyle(errors, obj);
    }

    private static void NewStyle(List<FieldError> errors, JsonObject obj)
    {
        if (obj.Str("eventTime").Length == 0)
            errors.Add(FieldError.Required("eventTime"));
        if (obj.Str("reportingController").Length == 0)
            errors.Add(FieldError.Required("reportingController"));
        if (obj.Str("reportingInstance").Length == 0)
            errors.Add(FieldError.Required("reportingInstance"));
        if (obj.Str("action").Length == 0)
            errors.Add(FieldError.Required("action"));
        if (obj.Str("reason").Length == 0)
            errors.Add(FieldError.Required("reason"));
        errors.OneOf("type", obj.Str("type"), "Normal", "Warning");
    }
}
