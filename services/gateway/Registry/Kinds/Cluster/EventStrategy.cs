using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Cluster;

/// <summary>Events, in both of their API groups.</summary>
internal sealed class EventStrategy(string group) : KindStrategy(Of(group, "v1", "events"), names: group.Length == 0 ? NameRule.PathSegment : NameRule.Subdomain)
{
    private const int WordLimit = 128;
    private const int NoteLimit = 1024;

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
        var about = (obj.Obj("involvedObject") ?? obj.Obj("regarding")).Str("namespace");
        var ns = obj.Namespace();
        var dated = obj.Str("eventTime").Length > 0;
        // Whatever the version, the fields are told by their names in v1.
        if (dated ? about.Length == 0 && ns is not ("default" or "kube-system") : about.Length == 0 ? ns is not ("default" or "") : about != ns)
            errors.Add(FieldError.Invalid("involvedObject.namespace", about, "does not match event.namespace"));
        if (dated)
            Dated(errors, obj);
    }

    /// <inheritdoc/>
    public override void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
        if (group.Length > 0)
            NewStyle(errors, obj);
    }

    private static void Dated(List<FieldError> errors, JsonObject obj)
    {
        var reporter = (obj.Obj("involvedObject") is null ? obj.Str("reportingController") : obj.Str("reportingComponent"));
        if (reporter.Length == 0)
            errors.Add(FieldError.Required("reportingController"));
        errors.Rules("reportingController", reporter, Names.QualifiedName(reporter));
        Text(errors, "reportingInstance", obj.Str("reportingInstance"));
        Text(errors, "action", obj.Str("action"));
        Text(errors, "reason", obj.Str("reason"));
        if ((obj.Str("note") is { Length: > 0 } note ? note : obj.Str("message")).Length > NoteLimit)
            errors.Add(FieldError.Invalid("message", string.Empty, $"can have at most {NoteLimit} characters"));
    }

    private static void Text(List<FieldError> errors, FieldPath path, string value)
    {
        if (value.Length == 0)
            errors.Add(FieldError.Required(path));
        if (value.Length > WordLimit)
            errors.Add(FieldError.Invalid(path, string.Empty, $"can have at most {WordLimit} characters"));
    }

    // What events.k8s.io asks beyond v1, and what it has no room for.
    private static void NewStyle(List<FieldError> errors, JsonObject obj)
    {
        if (obj.Obj("series") is { } series)
        {
            if ((series.Num("count") ?? 0) < 2)
                errors.Add(FieldError.Invalid("series.count", string.Empty, "should be at least 2"));
            if (series.Str("lastObservedTime").Length == 0)
                errors.Add(FieldError.Required("series.lastObservedTime"));
        }

        if (obj.Str("eventTime").Length == 0)
            errors.Add(FieldError.Required("eventTime"));
        if (obj.Str("type") is not ("Normal" or "Warning"))
            errors.Add(FieldError.Invalid("type", string.Empty, "has invalid value: " + obj.Str("type")));
        foreach (var (name, old) in new[] { ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"), ("deprecatedSource", "source") })
        {
            if (obj[name] is not (null or JsonObject { Count: 0 }) && obj.Num(name) is not 0)
                errors.Add(FieldError.Invalid(old, string.Empty, "needs to be unset"));
        }
    }
}
