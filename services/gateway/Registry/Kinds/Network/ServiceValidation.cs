using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Rules of a Service's spec.</summary>
internal static class ServiceValidation
{
    public static void Spec(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var type = spec.Str("type");
        var headless = spec.Str("clusterIP") == "None";
        if ((spec.Arr("ports")?.Count ?? 0) == 0 && !headless && type != "ExternalName")
            errors.Add(FieldError.Required(path.Child("ports")));
        if (type == "LoadBalancer" && headless)
            errors.Add(FieldError.Invalid(path.Child("clusterIPs").Index(0), "None", "may not be set to 'None' for LoadBalancer services"));
        if (type == "NodePort" && headless)
            errors.Add(FieldError.Invalid(path.Child("clusterIPs").Index(0), "None", "may not be set to 'None' for NodePort services"));
        if (type == "ExternalName")
        {
            foreach (var field in new[] { "clusterIPs", "ipFamilies", "ipFamilyPolicy" })
            {
                if (spec[field] is JsonArray { Count: > 0 } or JsonValue)
                    errors.Add(FieldError.Forbidden(path.Child(field), "may not be set for ExternalName services"));
            }

            var name = spec.Str("externalName");
            name = name.EndsWith('.') ? name[..^1] : name;
            if (name.Length == 0)
                errors.Add(FieldError.Required(path.Child("externalName")));
            else
                errors.Rules(path.Child("externalName"), name, Names.Dns1123Subdomain(name));
        }

        Ports(errors, path.Child("ports"), spec);
        errors.Labels(path.Child("selector"), spec.Obj("selector"));
        Affinity(errors, path, spec);
        ClusterIps(errors, path, spec);
        ExternalIps(errors, path.Child("externalIPs"), spec);
        errors.OneOf(path.Child("type"), type, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
        UniquePorts(errors, path.Child("ports"), spec);
        var ranges = spec.Strings("loadBalancerSourceRanges");
        if (ranges.Count > 0 && type != "LoadBalancer")
            errors.Add(FieldError.Forbidden(path.Child("LoadBalancerSourceRanges"), "may only be used when `type` is 'LoadBalancer'"));
        foreach (var (i, range) in ranges.Index())
            errors.Cidr(path.Child("LoadBalancerSourceRanges").Index(i), range.Trim());
        if (spec.Has("allocateLoadBalancerNodePorts") && type != "LoadBalancer")
            errors.Add(FieldError.Forbidden(path.Child("allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'"));
        if (spec.Has("loadBalancerClass"))
        {
            if (type == "LoadBalancer")
                errors.Rules(path.Child("loadBalancerClass"), spec.Str("loadBalancerClass"), Names.QualifiedName(spec.Str("loadBalancerClass")));
            else
                errors.Add(FieldError.Forbidden(path.Child("loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'"));
        }

        TrafficPolicies(errors, path, spec, type);
    }

    private static void Affinity(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        const string When = "when session affinity type is ClientIP";
        var affinity = spec.Str("sessionAffinity");
        errors.OneOf(path.Child("sessionAffinity"), affinity, "ClientIP", "None");
        var at = path.Child("sessionAffinityConfig");
        var config = spec.Obj("sessionAffinityConfig");
        if (affinity == "None" && config is not null)
            errors.Add(FieldError.Forbidden(at, "must not be set when session affinity is None"));
        if (affinity != "ClientIP")
            return;
        if (config is null)
            errors.Add(FieldError.Required(at, When));
        else if (config.Obj("clientIP") is not { } client)
            errors.Add(FieldError.Required(at.Child("clientIP"), When));
        else if (client.Num("timeoutSeconds") is not { } timeout)
            errors.Add(FieldError.Required(at.Child("clientIP", "timeoutSeconds"), When));
        else if (timeout is <= 0 or > 86400)
            errors.Add(FieldError.Invalid(at.Child("clientIP", "timeoutSeconds"), timeout, "must be greater than 0 and less than 86400"));
    }

    private static void TrafficPolicies(List<FieldError> errors, FieldPath path, JsonObject spec, string type)
    {
        var external = spec.Str("externalTrafficPolicy");
        var externallyReached = type is "NodePort" or "LoadBalancer" || (type == "ClusterIP" && (spec.Arr("externalIPs")?.Count ?? 0) > 0);
        if (!externallyReached && external.Length > 0)
            errors.Add(FieldError.Invalid(path.Child("externalTrafficPolicy"), external, "may only be set for externally-accessible services"));
        else if (externallyReached)
            errors.OneOf(path.Child("externalTrafficPolicy"), external, "Cluster", "Local");
        if (spec.Num("healthCheckNodePort") is > 0 and var health && !ServiceStrategy.NeedsHealthPort(spec))
        {
            errors.Add(FieldError.Invalid(path.Child("healthCheckNodePort"), health,
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
        }

        if (type is "ClusterIP" or "NodePort" or "LoadBalancer" || spec.Has("internalTrafficPolicy"))
            errors.OneOf(path.Child("internalTrafficPolicy"), spec.Str("internalTrafficPolicy"), "Cluster", "Local");
        if (spec.Has("trafficDistribution"))
            errors.Supported(path.Child("trafficDistribution"), spec.Str("trafficDistribution"), "PreferClose", "PreferSameNode", "PreferSameZone");
    }

    private static void Ports(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var several = (spec.Arr("ports")?.Count ?? 0) > 1;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, port) in spec.Items("ports"))
        {
            var at = path.Index(i);
            var name = port.Str("name");
            if (name.Length == 0 && several)
            {
                errors.Add(FieldError.Required(at.Child("name")));
            }
            else if (name.Length > 0)
            {
                errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
                if (!names.Add(name))
                    errors.Add(FieldError.Duplicate(at.Child("name"), name));
            }

            var number = port.Num("port") ?? 0;
            errors.Rules(at.Child("port"), number, Names.PortNumber(number));
            var protocol = port.Str("protocol");
            errors.OneOf(at.Child("protocol"), protocol, "SCTP", "TCP", "UDP");
            ProbeValidation.Port(errors, at.Child("targetPort"), port.IntStr("targetPort"));
            if (port.Has("appProtocol"))
                errors.Rules(at.Child("appProtocol"), port.Str("appProtocol"), Names.QualifiedName(port.Str("appProtocol")));
        }
    }

    // One port a protocol, inside and on the nodes.
    private static void UniquePorts(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var nodePorts = new HashSet<(string, long)>();
        var ports = new HashSet<(string, long)>();
        foreach (var (i, port) in spec.Str("type") == "ClusterIP" ? spec.Items("ports") : [])
        {
            if (port.Num("nodePort") is not (null or 0))
                errors.Add(FieldError.Forbidden(path.Index(i).Child("nodePort"), "may not be used when `type` is 'ClusterIP'"));
        }

        foreach (var (i, port) in spec.Items("ports"))
        {
            if (port.Num("nodePort") is { } nodePort and not 0 && !nodePorts.Add((port.Str("protocol"), nodePort)))
                errors.Add(FieldError.Duplicate(path.Index(i).Child("nodePort"), nodePort));
        }

        foreach (var (i, port) in spec.Items("ports"))
        {
            var (protocol, number) = (port.Str("protocol"), port.Num("port") ?? 0);
            if (!ports.Add((protocol, number)))
            {
                // Kubernetes prints its own type here.
                errors.Add(FieldError.Duplicate(path.Index(i), new JsonObject
                {
                    ["Name"] = "",
                    ["Protocol"] = protocol,
                    ["AppProtocol"] = null,
                    ["Port"] = number,
                    ["TargetPort"] = 0,
                    ["NodePort"] = 0,
                }));
            }
        }
    }

    private static void ClusterIps(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Str("type") == "ExternalName")
            return;
        var (one, list) = (spec.Str("clusterIP"), spec.Strings("clusterIPs"));
        var at = path.Child("clusterIPs");
        if (one.Length > 0 && list.Count == 0)
            errors.Add(FieldError.Required(at));
        else if (one.Length > 0 && list[0] != one)
            errors.Add(FieldError.Invalid(at, list, "first value must match `clusterIP`"));
        else if (one.Length == 0 && list.Count > 0)
            errors.Add(FieldError.Invalid(at, list, "must be empty when `clusterIP` is not specified"));
        var families = spec.Strings("ipFamilies");
        foreach (var (i, family) in families.Index())
        {
            errors.Supported(path.Child("ipFamilies").Index(i), family, "IPv4", "IPv6");
            if (families.IndexOf(family) < i)
                errors.Add(FieldError.Duplicate(path.Child("ipFamilies").Index(i), family));
        }

        errors.OptionalOneOf(path.Child("ipFamilyPolicy"), spec.Str("ipFamilyPolicy"), "PreferDualStack", "RequireDualStack", "SingleStack");
        var before = errors.Count;
        for (var i = 0; i < list.Count; i++)
        {
            if (i == 0 && list[i] == "None")
            {
                if (list.Count > 1)
                    errors.Add(FieldError.Invalid(at, list, "'None' must be the first and only value"));
            }
            else
            {
                errors.Ip(at.Index(i), list[i]);
            }
        }

        if (list.Count > 2)
            errors.Add(FieldError.Invalid(at, list, "may only hold up to 2 values"));
        if (errors.Count > before)
            return;
        if (list.Count > 1 && list.Count(static ip => ip.Contains(':')) != 1)
            errors.Add(FieldError.Invalid(at, list, "may specify no more than one IP for each IP family"));
        for (var i = 0; one != "None" && i < Math.Min(list.Count, families.Count); i++)
        {
            if (list[i].Contains(':') != (families[i] == "IPv6"))
                errors.Add(FieldError.Invalid(at.Index(i), list[i], $"expected an {families[i]} value as indicated by `ipFamilies[{i}]`"));
        }

        if (spec.Str("ipFamilyPolicy") == "RequireDualStack" && !(one == "None" && (spec.Obj("selector")?.Count ?? 0) == 0))
            errors.Add(FieldError.Invalid(path.Child("ipFamilyPolicy"), "RequireDualStack", "this cluster is not configured for dual-stack services"));
    }

    private static void ExternalIps(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var (i, ip) in spec.Strings("externalIPs").Index())
        {
            errors.Ip(path.Index(i), ip);
            if (Check.IsIp(ip))
                EndpointsStrategy.Reachable(errors, path.Index(i), ip);
        }
    }
}
