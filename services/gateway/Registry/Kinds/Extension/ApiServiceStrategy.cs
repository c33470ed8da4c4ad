using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Extension;

/// <summary>APIServices: who serves a group's version.</summary>
internal sealed class ApiServiceStrategy() : KindStrategy(Of("apiregistration.k8s.io", "v1", "apiservices"), hasStatus: true, names: NameRule.PathSegment)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj) => obj.Obj("spec", "service")?.Default("port", 443);

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        var (group, version, service) = (spec.Str("group"), spec.Str("version"), spec.Obj("service"));
        var name = version + "." + group;
        if (obj.Name() != name)
            errors.Add(FieldError.Invalid("metadata.name", obj.Name(), $"must be `spec.version+\".\"+spec.group`: {GoText.Quote(name)}"));
        if (group.Length > 0)
            errors.Rules("spec.group", group, Names.Dns1123Subdomain(group));
        if (version.Length == 0)
            errors.Add(FieldError.Required("spec.version"));
        else
            errors.Rules("spec.version", version, Names.Dns1035Label(version));
        if (group.Length == 0 && service is not null)
            errors.Add(FieldError.Forbidden("spec.group", "only local core group is allowed to have no group"));
        if (spec.Num("groupPriorityMinimum") is not (> 0 and <= 20000))
            errors.Add(FieldError.Invalid("spec.groupPriorityMinimum", spec.Num("groupPriorityMinimum") ?? 0, "must be positive and less than 20000"));
        if (spec.Num("versionPriority") is not (> 0 and <= 1000))
            errors.Add(FieldError.Invalid("spec.versionPriority", spec.Num("versionPriority") ?? 0, "must be positive and less than 1000"));
        if (service is null)
        {
            if (spec.Str("caBundle").Length > 0)
                errors.Add(FieldError.Invalid("spec.caBundle", "<certificate data>", "local APIServices may not have a caBundle"));
            if (spec.Bool("insecureSkipTLSVerify"))
                errors.Add(FieldError.Invalid("spec.insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify"));
            return;
        }

        if (service.Str("namespace").Length == 0)
            errors.Add(FieldError.Required("spec.service.namespace"));
        if (service.Str("name").Length == 0)
            errors.Add(FieldError.Required("spec.service.name"));
        if (service.Num("port") is { } port && Names.PortNumber(port) is { Count: > 0 } broken)
            errors.Add(FieldError.Invalid("spec.service.port", port, "port is not valid: " + string.Join(", ", broken)));
        if (spec.Bool("insecureSkipTLSVerify") && spec.Str("caBundle").Length > 0)
            errors.Add(FieldError.Invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present"));
    }
}
