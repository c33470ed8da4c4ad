using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>CustomResourceDefinitions: names, versions and columns of a new kind (schemas are checked where they are compiled).</summary>
internal sealed class CustomResourceDefinitionStrategy() : KindStrategy(Of("apiextensions.k8s.io", "v1", "customresourcedefinitions"), hasStatus: true, generation: true)
{
    private static readonly string[] ColumnTypes = ["boolean", "date", "integer", "number", "string"];
    private static readonly string[] ColumnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        var names = spec.Ensure("names");
        var kind = names.Str("kind");
        if (kind.Length > 0)
        {
            names.Default("singular", kind.ToLowerInvariant());
            names.Default("listKind", kind + "List");
        }

        spec.Ensure("conversion").Default("strategy", "None");
        if (spec.Obj("conversion", "webhook") is { } webhook)
            WebhookClients.Default(webhook.Obj("clientConfig"));
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(),
            ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
            ["storedVersions"] = Stored(obj, []),
        };
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        obj.Ensure("status")["storedVersions"] = Stored(obj, obj.Obj("status").Strings("storedVersions"));
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var (group, names) = (spec.Str("group"), spec.Obj("names") ?? []);
        if (obj.Name() != names.Str("plural") + "." + group)
            errors.Add(FieldError.Invalid("metadata.name", obj.Name(), "must be spec.names.plural+\".\"+spec.group"));
        if (group.Length == 0)
            errors.Add(FieldError.Required("spec.group"));
        else if (Names.Dns1123Subdomain(group) is { Count: > 0 } broken)
            errors.Add(FieldError.Invalid("spec.group", group, string.Join(",", broken)));
        else if (!group.Contains('.'))
            errors.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        errors.OneOf("spec.scope", spec.Str("scope"), "Cluster", "Namespaced");
        Versions(errors, "spec.versions", spec);
        NameList(errors, "spec.names", names);
        if (spec.Bool("preserveUnknownFields"))
            errors.Add(FieldError.Invalid("spec.preserveUnknownFields", true, "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"));
        Conversion(errors, "spec.conversion", spec.Obj("conversion") ?? []);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var established = old.Obj("status").Items("conditions").Any(c => c.Item.Str("type") == "Established" && c.Item.Str("status") == "True");
        if (established)
        {
            errors.Unchanged("spec.scope", Spec(obj)["scope"], Spec(old)["scope"]);
            errors.Unchanged("spec.names.kind", Spec(obj).Obj("names")?["kind"], Spec(old).Obj("names")?["kind"]);
        }

        errors.Unchanged("spec.group", Spec(obj)["group"], Spec(old)["group"]);
        errors.Unchanged("spec.names.plural", Spec(obj).Obj("names")?["plural"], Spec(old).Obj("names")?["plural"]);
        StoredStay(errors, obj);
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) => StoredStay(errors, obj);

    // What objects may be stored as stays a version.
    private static void StoredStay(List<FieldError> errors, JsonObject obj)
    {
        var versions = Spec(obj).Items("versions").Select(static v => v.Item.Str("name")).ToList();
        foreach (var (i, stored) in obj.Obj("status").Strings("storedVersions").Index())
        {
            if (versions.Contains(stored))
                continue;
            errors.Add(FieldError.Invalid(
                new FieldPath("status.storedVersions").Index(i),
                stored,
                $"missing from spec.versions; {stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures "
                + $"no data remains persisted in {stored} and removes {stored} from status.storedVersions"));
        }
    }

    private static JsonArray Stored(JsonObject obj, List<string> already)
    {
        var storage = Spec(obj).Items("versions").Where(static v => v.Item.Bool("storage")).Select(static v => v.Item.Str("name"));
        return new JsonArray([.. already.Concat(storage).Distinct(StringComparer.Ordinal).Select(static v => JsonValue.Create(v))]);
    }

    private static void Versions(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var versions = spec.Items("versions").ToList();
        foreach (var (i, version) in versions)
        {
            var at = path.Index(i);
            if (Names.Dns1035Label(version.Str("name")) is { Count: > 0 } broken)
                errors.Add(FieldError.Invalid(at.Child("name"), version.Str("name"), string.Join(",", broken)));
            if (version.Obj("schema") is not { } schema || !schema.Has("openAPIV3Schema"))
                errors.Add(FieldError.Required(at.Child("schema", "openAPIV3Schema"), "schemas are required"));
            foreach (var (c, column) in version.Items("additionalPrinterColumns"))
                Column(errors, at.Child("additionalPrinterColumns").Index(c), column);
            if (version.Obj("subresources", "scale") is { } scale)
                Scale(errors, at.Child("subresources", "scale"), scale);
        }

        if (versions.Select(static v => v.Item.Str("name")).Distinct(StringComparer.Ordinal).Count() < versions.Count)
            errors.Add(FieldError.Invalid(path, spec["versions"], "must contain unique version names"));
        if (versions.Count(static v => v.Item.Bool("storage")) != 1)
            errors.Add(FieldError.Invalid(path, spec["versions"], "must have exactly one version marked as storage version"));
    }

    private static void Column(List<FieldError> errors, FieldPath at, JsonObject column)
    {
        if (column.Str("name").Length == 0)
            errors.Add(FieldError.Required(at.Child("name")));
        if (column.Str("type").Length == 0)
            errors.Add(FieldError.Required(at.Child("type"), "must be one of " + string.Join(",", ColumnTypes)));
        else if (!ColumnTypes.Contains(column.Str("type")))
            errors.Add(FieldError.Invalid(at.Child("type"), column.Str("type"), "must be one of " + string.Join(",", ColumnTypes)));
        if (column.Str("format").Length > 0 && !ColumnFormats.Contains(column.Str("format")))
            errors.Add(FieldError.Invalid(at.Child("format"), column.Str("format"), "must be one of " + string.Join(",", ColumnFormats)));
        if (column.Str("jsonPath").Length == 0)
            errors.Add(FieldError.Required(at.Child("jsonPath")));
    }

    private static void Scale(List<FieldError> errors, FieldPath at, JsonObject scale)
    {
        foreach (var (field, root) in new[] { ("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.") })
        {
            if (scale.Str(field).Length == 0)
                errors.Add(FieldError.Required(at.Child(field)));
            else if (!scale.Str(field).StartsWith(root, StringComparison.Ordinal))
                errors.Add(FieldError.Invalid(at.Child(field), scale.Str(field), $"should be a json path under {root[..^1]}"));
        }
    }

    private static void NameList(List<FieldError> errors, FieldPath at, JsonObject names)
    {
        foreach (var field in new[] { "plural", "singular", "kind", "listKind" })
        {
            if (names.Str(field).Length == 0)
                errors.Add(FieldError.Required(at.Child(field)));
        }

        foreach (var field in new[] { "plural", "singular" })
        {
            if (names.Str(field).Length > 0 && Names.Dns1035Label(names.Str(field)) is { Count: > 0 } broken)
                errors.Add(FieldError.Invalid(at.Child(field), names.Str(field), string.Join(",", broken)));
        }

        foreach (var field in new[] { "kind", "listKind" })
        {
            if (names.Str(field).Length > 0 && Names.Dns1035Label(names.Str(field).ToLowerInvariant()) is { Count: > 0 } broken)
                errors.Add(FieldError.Invalid(at.Child(field), names.Str(field), "may have mixed case, but should otherwise match: " + string.Join(",", broken)));
        }

        foreach (var list in new[] { "shortNames", "categories" })
        {
            foreach (var (i, name) in names.Strings(list).Index())
            {
                if (Names.Dns1035Label(name) is { Count: > 0 } broken)
                    errors.Add(FieldError.Invalid(at.Child(list).Index(i), name, string.Join(",", broken)));
            }
        }

        if (names.Str("kind").Length > 0 && names.Str("kind") == names.Str("listKind"))
            errors.Add(FieldError.Invalid(at.Child("listKind"), names.Str("listKind"), "kind and listKind may not be the same"));
    }

    private static void Conversion(List<FieldError> errors, FieldPath at, JsonObject conversion)
    {
        errors.OneOf(at.Child("strategy"), conversion.Str("strategy"), "None", "Webhook");
        if (conversion.Str("strategy") != "Webhook")
        {
            if (conversion.Obj("webhook").Has("clientConfig"))
                errors.Add(FieldError.Forbidden(at.Child("webhook", "clientConfig"), "should not be set when strategy is not set to Webhook"));
            return;
        }

        if (!conversion.Obj("webhook").Has("clientConfig"))
            errors.Add(FieldError.Required(at.Child("webhook", "clientConfig"), "required when strategy is set to Webhook"));
        else
            WebhookClients.Check(errors, at.Child("webhook", "clientConfig"), conversion.Obj("webhook", "clientConfig"));
        if (conversion.Obj("webhook").Strings("conversionReviewVersions").Count == 0)
            errors.Add(FieldError.Required(at.Child("webhook", "conversionReviewVersions")));
    }
}
