using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Rules of the addresses a load balancer tells it has, of services and of ingresses.</summary>
internal static class LoadBalancerStatus
{
    public static void Check(List<FieldError> errors, FieldPath path, JsonObject? balancer)
    {
        foreach (var (i, ingress) in balancer.Items("ingress"))
        {
            var at = path.Child("ingress").Index(i);
            if (ingress.Str("ip") is { Length: > 0 } ip)
                errors.Ip(at.Child("ip"), ip);
            if (ingress.Has("ipMode") && !ingress.Has("ip"))
                errors.Add(FieldError.Forbidden(at.Child("ipMode"), "may not be specified when `ip` is not set"));
            else if (ingress.Has("ipMode"))
                errors.Supported(at.Child("ipMode"), ingress.Str("ipMode"), "Proxy", "VIP");
            if (ingress.Str("hostname") is not { Length: > 0 } host)
                continue;
            errors.Rules(at.Child("hostname"), host, Names.Dns1123Subdomain(host));
            if (Kinds.Check.IsIp(host))
                errors.Add(FieldError.Invalid(at.Child("hostname"), host, "must be a DNS name, not an IP address"));
        }
    }
}
