using System.Text.Json.Nodes;
using Mesh.Api;

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
            errors.Add(FieldError.Invalid("spec", spec["rules"]?.DeepClone() ?? new JsonArray(), "either `defaultBackend` or `rules` must be specified"));
        if (spec.Obj("defaultBackend") is { } backend)
            Backend(errors, "spec.defaultBackend", backend);
        if (spec.Str("ingressClassName") is { Length: > 0 } name)
            errors.Rules("spec.ingressClassName", name, Names.Dns1123Subdomain(name));
        foreach (var (i, rule) in spec.Items("rules"))
            Rule(errors, new FieldPath("spec.rules").Index(i), rule);
        foreach (var (i, tls) in spec.Items("tls"))
        {
            foreach (var (h, host) in tls.Strings("hosts").Index())
                errors.Rules(new FieldPath("spec.tls").Index(i).Child("hosts").Index(h), host, HostRules(host));
        }
    }

    private static void Rule(List<FieldError> errors, FieldPath at, JsonObject rule)
    {
        var host = rule.Str("host");
        if (host.Length > 0)
        {
            if (Check.IsIp(host))
                errors.Add(FieldError.Invalid(at.Child("host"), host, "must be a DNS name, not an IP address"));
            errors.Rules(at.Child("host"), host, HostRules(host));
        }

        if (rule.Obj("http") is not { } http)
            return;
        if ((http.Arr("paths")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(at.Child("http", "paths")));
        foreach (var (i, path) in http.Items("paths"))
        {
            var item = at.Child("http", "paths").Index(i);
            var (type, text) = (path.Str("pathType"), path.Str("path"));
            if (type.Length == 0)
                errors.Add(FieldError.Required(item.Child("pathType"), "pathType must be specified"));
            else if (type is "Exact" or "Prefix")
            {
                if (!text.StartsWith('/'))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, "must be an absolute path"));
                foreach (var bad in new[] { "//", "/./", "/../", "%2f", "%2F" }.Where(b => text.Contains(b, StringComparison.Ordinal)))
                    errors.Add(FieldError.Invalid(item.Child("path"), text, $"must not contain '{bad}'"));
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
            errors.Add(FieldError.Invalid(at, string.Empty, "cannot set both resource and service backends"));
        if (backend.Obj("service") is not { } service)
        {
            if (!backend.Has("resource"))
                errors.Add(FieldError.Required(at, "port name or number is required"));
            return;
        }

        var name = service.Str("name");
        if (name.Length == 0)
            errors.Add(FieldError.Required(at.Child("service", "name")));
        else
            errors.Rules(at.Child("service", "name"), name, Names.Dns1035Label(name));
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
}

/// <summary>NetworkPolicies.</summary>
internal sealed class NetworkPolicyStrategy() : KindStrategy(Of("networking.k8s.io", "v1", "networkpolicies"), generation: true)
{
    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        foreach (var direction in new[] { "ingress", "egress" })
        {
            foreach (var (_, rule) in spec.Items(direction))
            {
                foreach (var (_, port) in rule.Items("ports"))
                    port.Default("protocol", "TCP");
            }
        }

        // A policy without types is about ingress, and about egress when it has such rules.
        if ((spec.Arr("policyTypes")?.Count ?? 0) == 0)
            spec["policyTypes"] = (spec.Arr("egress")?.Count ?? 0) > 0 ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var spec = Spec(obj);
        errors.LabelSelector("spec.podSelector", spec.Obj("podSelector"));
        foreach (var (direction, peers) in new[] { ("ingress", "from"), ("egress", "to") })
        {
            foreach (var (i, rule) in spec.Items(direction))
            {
                var at = new FieldPath("spec").Child(direction).Index(i);
                foreach (var (p, port) in rule.Items("ports"))
                    Port(errors, at.Child("ports").Index(p), port);
                foreach (var (p, peer) in rule.Items(peers))
                    Peer(errors, at.Child(peers).Index(p), peer);
            }
        }

        foreach (var (i, type) in spec.Strings("policyTypes").Index())
        {
            if (type is not ("Ingress" or "Egress"))
                errors.Add(FieldError.NotSupported(new FieldPath("spec.policyTypes").Index(i), type, "Egress", "Ingress"));
        }
    }

    private static void Port(List<FieldError> errors, FieldPath at, JsonObject port)
    {
        errors.OptionalOneOf(at.Child("protocol"), port.Str("protocol"), "SCTP", "TCP", "UDP");
        if (port.IntStr("port") is not { } given)
        {
            if (port.Has("endPort"))
                errors.Add(FieldError.Required(at.Child("port"), "must be specified when `endPort` is specified"));
            return;
        }

        Pods.ProbeValidation.Port(errors, at.Child("port"), given);
        if (port.Num("endPort") is not { } end)
            return;
        if (given.IsString)
            errors.Add(FieldError.Required(at.Child("port"), "must be an integer when `endPort` is specified"));
        else if (end < given.IntValue)
            errors.Add(FieldError.Invalid(at.Child("endPort"), end, "must be greater than or equal to `port`"));
    }

    private static void Peer(List<FieldError> errors, FieldPath at, JsonObject peer)
    {
        var selects = peer.Has("podSelector") || peer.Has("namespaceSelector");
        if (peer.Obj("podSelector") is { } pods)
            errors.LabelSelector(at.Child("podSelector"), pods);
        if (peer.Obj("namespaceSelector") is { } namespaces)
            errors.LabelSelector(at.Child("namespaceSelector"), namespaces);
        if (peer.Obj("ipBlock") is { } block)
        {
            errors.Cidr(at.Child("ipBlock", "cidr"), block.Str("cidr"));
            foreach (var (i, except) in block.Strings("except").Index())
                errors.Cidr(at.Child("ipBlock", "except").Index(i), except);
            if (selects)
                errors.Add(FieldError.Forbidden(at, "may not specify both ipBlock and another peer"));
        }
        else if (!selects)
        {
            errors.Add(FieldError.Required(at, "must specify a peer"));
        }
    }
}
