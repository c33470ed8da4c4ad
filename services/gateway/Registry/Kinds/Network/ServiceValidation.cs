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
            if (spec.Strings("clusterIPs").Count > 0)
                errors.Add(FieldError.Forbidden(path.Child("clusterIPs"), "may not be set for ExternalName services"));
            var name = spec.Str("externalName").TrimEnd('.');
            if (name.Length == 0)
                errors.Add(FieldError.Required(path.Child("externalName")));
            else
                errors.Rules(path.Child("externalName"), name, Names.Dns1123Subdomain(name));
        }

        Ports(errors, path.Child("ports"), spec);
        errors.Labels(path.Child("selector"), spec.Obj("selector"));
        errors.OneOf(path.Child("sessionAffinity"), spec.Str("sessionAffinity"), "ClientIP", "None");
        if (spec.Obj("sessionAffinityConfig", "clientIP").Num("timeoutSeconds") is { } timeout and (<= 0 or > 86400))
            errors.Add(FieldError.Invalid(path.Child("sessionAffinityConfig", "clientIP").Child("timeoutSeconds"), timeout, "must be greater than 0 and less than 86400"));
        errors.OneOf(path.Child("type"), type, "ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
        ClusterIps(errors, path, spec);
        ExternalIps(errors, path.Child("externalIPs"), spec);
        foreach (var (i, range) in spec.Strings("loadBalancerSourceRanges").Index())
            errors.Cidr(path.Child("loadBalancerSourceRanges").Index(i), range.Trim());
        TrafficPolicies(errors, path, spec, type);
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

        if (type is "ClusterIP" or "NodePort" or "LoadBalancer")
            errors.OneOf(path.Child("internalTrafficPolicy"), spec.Str("internalTrafficPolicy"), "Cluster", "Local");
        if (type != "LoadBalancer" && spec.Has("allocateLoadBalancerNodePorts"))
            errors.Add(FieldError.Forbidden(path.Child("allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'"));
        if (type != "LoadBalancer" && spec.Has("loadBalancerClass"))
            errors.Add(FieldError.Forbidden(path.Child("loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'"));
        errors.OptionalOneOf(path.Child("trafficDistribution"), spec.Str("trafficDistribution"), "PreferClose", "PreferSameNode", "PreferSameZone");
    }

    private static void Ports(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var several = (spec.Arr("ports")?.Count ?? 0) > 1;
        var names = new HashSet<string>(StringComparer.Ordinal);
        var ports = new HashSet<(string, long)>();
        var nodePorts = new HashSet<(string, long)>();
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
            if (port.Str("appProtocol") is { Length: > 0 } application)
                errors.Rules(at.Child("appProtocol"), application, Names.QualifiedName(application));

            var nodePort = port.Num("nodePort") ?? 0;
            if (nodePort != 0 && (spec.Str("type") is "ClusterIP" or "ExternalName"))
                errors.Add(FieldError.Forbidden(at.Child("nodePort"), $"may not be used when `type` is '{spec.Str("type")}'"));
            if (nodePort != 0 && !nodePorts.Add((protocol, nodePort)))
                errors.Add(FieldError.Duplicate(at.Child("nodePort"), nodePort));
            if (!ports.Add((protocol, number)))
                errors.Add(FieldError.Duplicate(at, new JsonObject { ["port"] = number, ["protocol"] = protocol }));
        }
    }

    private static void ClusterIps(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Str("type") == "ExternalName")
            return;
        var (one, list) = (spec.Str("clusterIP"), spec.Strings("clusterIPs"));
        var at = path.Child("clusterIPs");
        if (one.Length > 0 && list.Count > 0 && list[0] != one)
            errors.Add(FieldError.Invalid(at, list, "first value must match `clusterIP`"));
        if (list.Count > 2)
            errors.Add(FieldError.Invalid(at, list, "may only hold up to 2 values"));
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] == "None" && list.Count > 1)
                errors.Add(FieldError.Invalid(at.Index(i), list[i], "may not have multiple values when first is 'None'"));
            else if (list[i] != "None")
                errors.Ip(at.Index(i), list[i]);
        }

        foreach (var (i, family) in spec.Strings("ipFamilies").Index())
        {
            if (family is not ("IPv4" or "IPv6"))
                errors.Add(FieldError.NotSupported(path.Child("ipFamilies").Index(i), family, "IPv4", "IPv6"));
        }

        errors.OptionalOneOf(path.Child("ipFamilyPolicy"), spec.Str("ipFamilyPolicy"), "PreferDualStack", "RequireDualStack", "SingleStack");
        if (spec.Str("ipFamilyPolicy") == "RequireDualStack" && !(one == "None" && (spec.Obj("selector")?.Count ?? 0) == 0))
            errors.Add(FieldError.Invalid(path.Child("ipFamilyPolicy"), "RequireDualStack", "this cluster is not configured for dual-stack services"));
    }

    private static void ExternalIps(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var (i, ip) in spec.Strings("externalIPs").Index())
        {
            errors.Ip(path.Index(i), ip);
            if (ip.StartsWith("127.", StringComparison.Ordinal) || ip == "::1")
                errors.Add(FieldError.Invalid(path.Index(i), ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
            if (ip is "0.0.0.0" or "::")
                errors.Add(FieldError.Invalid(path.Index(i), ip, $"may not be unspecified ({ip})"));
        }
    }
}
