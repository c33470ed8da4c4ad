using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Ingresses.</summary>
internal sealed class IngressStrategy() : KindStrategy(Of("networking.k8s.io", "v1", "ingresses"), hasStatus: true, generation: true)
{
    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        if ((spec.Arr("rules")?.Count ?? 0) == 0 && !spec.Has("defaultBackend"))
            errors.Add(FieldError.Invalid("spec", spec["rules"], "either `defaultBackend` or `rules` must be specified"));
        if (spec.Obj("defaultBackend") is { } backend)
            Backend(errors, "spec.defaultBackend", backend);
        foreach (var (i, rule) in spec.Items("rules"))
            Rule(errors, new FieldPath("spec.rules").Index(i), rule);
        foreach (var (i, tls) in spec.Items("tls"))
        {
            var at = new FieldPath("spec.tls").Index(i);
            foreach (var (h, host) in tls.Strings("hosts").Index())
                errors.Rules(at.Child("hosts").Index(h), host, HostRules(host));
            var before = errors.Count;
            if (tls.Str("secretName") is { Length: > 0 } secret)
                errors.Rules(at.Child("secretName"), secret, Names.Dns1123Subdomain(secret));
            errors.Name(before, Ratchet.SecretName);
        }

        if (spec.Has("ingressClassName"))
            errors.Rules("spec.ingressClassName", spec.Str("ingressClassName"), Names.Dns1123Subdomain(spec.Str("ingressClassName")));
    }

    /// <inheritdoc/>
    public override void ValidateCreate(JsonObject obj, List<FieldError> errors)
    {
        const string Annotation = "kubernetes.io/ingress.class";
        if (Spec(obj).Has("ingressClassName") && obj.Obj("metadata", "annotations")?.ContainsKey(Annotation) == true)
            errors.Add(FieldError.Invalid(new FieldPath("annotations").Child(Annotation), obj.Obj("metadata", "annotations").Str(Annotation), "can not be set when the class field is also set"));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors) =>
        LoadBalancerStatus.Check(errors, "status.loadBalancer", obj.Obj("status", "loadBalancer"));

    private static void Rule(List<FieldError> errors, FieldPath at, JsonObject rule)
    {
        var host = rule.Str("host");
        if (host.Length > 0)
        {
            if (Check.IsIp(host))
                errors.Add(FieldError.Invalid(at.Child("host"), host, "must be a DNS name, not an IP address"));
            errors.Rules(at.Child("host"), host, HostRules(host));
        }

        var before = errors.Count;
        if (rule.Obj("http") is { } http)
            Paths(errors, at, http);
        if (host.Contains('*'))
            errors.Name(before, Ratchet.WildcardRule);
    }

    private static void Paths(List<FieldError> errors, FieldPath at, JsonObject http)
    {
        if ((http.Arr("paths")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(at.Child("http", "paths")));
        foreach (var (i, path) in http.Items("paths"))
        {
            var item = at.Child("http", "paths").Index(i);
            var (type, text) = (path.Str("pathType"), path.Str("path"));
            if (type.Length == 0)
            {
                errors.Add(FieldError.Required(item.Child("pathType"), "pathType must be specified"));
                continue;
            }

            if (type is "Exact" or "Prefix")
            {
                if (!text.StartsWith('/'))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, "must be an absolute path"));
                foreach (var bad in new[] { "//", "/./", "/../", "%2f", "%2F" }.Where(b => text.Contains(b, StringComparison.Ordinal)))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, $"must not contain '{bad}'"));
                foreach (var bad in new[] { "/..", "/." }.Where(b => text.EndsWith(b, StringComparison.Ordinal)))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, $"cannot end with '{bad}'"));
            }
            else if (type == "ImplementationSpecific")
            {
                if (text.Length > 0 && !text.StartsWith('/'))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, "must be an absolute path"));
            }
            else
            {
                errors.Add(FieldError.NotSupported(item.Child("pathType"), type, "Exact", "ImplementationSpecific", "Prefix"));
            }

            Backend(errors, item.Child("backend"), path.Obj("backend") ?? []);
        }
    }

    private static void Backend(List<FieldError> errors, FieldPath at, JsonObject backend)
    {
        if (backend.Has("service") && backend.Has("resource"))
        {
            errors.Add(FieldError.Invalid(at, string.Empty, "cannot set both resource and service backends"));
            return;
        }

        if (backend.Obj("resource") is { } resource)
        {
            IngressClassStrategy.Reference(errors, at.Child("resource"), resource);
            return;
        }

        if (backend.Obj("service") is not { } service)
        {
            errors.Add(FieldError.Invalid(at, string.Empty, "resource or service backend is required"));
            return;
        }

        var name = service.Str("name");
        if (name.Length == 0)
            errors.Add(FieldError.Required(at.Child("service", "name")));
        else
            errors.Rules(at.Child("service", "name"), name, Names.Dns1123Label(name));
        var port = service.Obj("port");
        if (port.Str("name").Length > 0 && port.Num("number") is > 0)
            errors.Add(FieldError.Invalid(at, string.Empty, "cannot set both port name & port number"));
        else if (port.Str("name") is { Length: > 0 } portName)
            errors.Rules(at.Child("service", "port").Child("name"), portName, Names.PortName(portName));
        else if (port.Num("number") is { } number and not 0)
            errors.Rules(at.Child("service", "port").Child("number"), number, Names.PortNumber(number));
        else
            errors.Add(FieldError.Required(at, "port name or number is required"));
    }

    private static IReadOnlyList<string> HostRules(string host) => host.Contains('*') ? Names.WildcardDns1123Subdomain(host) : Names.Dns1123Subdomain(host);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => old is null ? NetworkWarnings.Ingress(obj) : [];
}
