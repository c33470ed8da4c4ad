using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Endpoints.</summary>
internal sealed class EndpointsStrategy() : KindStrategy(Of("", "v1", "endpoints"))
{
    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        foreach (var (_, subset) in obj.Items("subsets"))
        {
            foreach (var (_, port) in subset.Items("ports"))
                port.Default("protocol", "TCP");
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        foreach (var (i, subset) in obj.Items("subsets"))
        {
            var at = new FieldPath("subsets").Index(i);
            if (!subset.Items("addresses").Any() && !subset.Items("notReadyAddresses").Any())
                errors.Add(FieldError.Required(at, "must specify `addresses` or `notReadyAddresses`"));
            foreach (var list in new[] { "addresses", "notReadyAddresses" })
            {
                foreach (var (a, address) in subset.Items(list))
                    Address(errors, at.Child(list).Index(a).Child("ip"), address.Str("ip"));
            }

            var several = (subset.Arr("ports")?.Count ?? 0) > 1;
            foreach (var (p, port) in subset.Items("ports"))
            {
                var path = at.Child("ports").Index(p);
                if (several && port.Str("name").Length == 0)
                    errors.Add(FieldError.Required(path.Child("name")));
                errors.Rules(path.Child("port"), port.Num("port") ?? 0, Names.PortNumber(port.Num("port") ?? 0));
                errors.OneOf(path.Child("protocol"), port.Str("protocol"), "SCTP", "TCP", "UDP");
            }
        }
    }

    /// <summary>An address that traffic can really be sent to.</summary>
    internal static void Address(List<FieldError> errors, FieldPath path, string ip)
    {
        errors.Ip(path, ip);
        if (ip.StartsWith("127.", StringComparison.Ordinal) || ip == "::1")
            errors.Add(FieldError.Invalid(path, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
        else if (ip is "0.0.0.0" or "::")
            errors.Add(FieldError.Invalid(path, ip, $"may not be unspecified ({ip})"));
        else if (ip.StartsWith("169.254.", StringComparison.Ordinal))
            errors.Add(FieldError.Invalid(path, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
    }
}

/// <summary>EndpointSlices.</summary>
internal sealed class EndpointSliceStrategy() : KindStrategy(Of("discovery.k8s.io", "v1", "endpointslices"), generation: true)
{
    private const int MaxEndpoints = 1000;

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        foreach (var (_, port) in obj.Items("ports"))
        {
            if (port["name"] is null)
                port["name"] = string.Empty;
            port.Default("protocol", "TCP");
        }
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var family = obj.Str("addressType");
        errors.OneOf("addressType", family, "FQDN", "IPv4", "IPv6");
        var endpoints = obj.Items("endpoints").ToList();
        if (endpoints.Count > MaxEndpoints)
            errors.Add(FieldError.TooMany("endpoints", endpoints.Count, MaxEndpoints));
        foreach (var (i, endpoint) in endpoints)
        {
            var at = new FieldPath("endpoints").Index(i).Child("addresses");
            var addresses = endpoint.Strings("addresses");
            if (addresses.Count == 0)
                errors.Add(FieldError.Required(at, "must contain at least 1 address"));
            foreach (var (a, address) in addresses.Index())
            {
                if (family == "FQDN")
                    errors.Rules(at.Index(a), address, Names.Dns1123Subdomain(address));
                else if (family == "IPv4" ? address.Contains(':') || !Check.IsIp(address) : !address.Contains(':') || !Check.IsIp(address))
                    errors.Add(FieldError.Invalid(at.Index(a), address, $"must be an {family} address"));
                else
                    EndpointsStrategy.Address(errors, at.Index(a), address);
            }
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, port) in obj.Items("ports"))
        {
            var at = new FieldPath("ports").Index(i);
            if (port.Str("name").Length > 0)
                errors.Rules(at.Child("name"), port.Str("name"), Names.Dns1123Label(port.Str("name")));
            if (!names.Add(port.Str("name")))
                errors.Add(FieldError.Duplicate(at.Child("name"), port.Str("name")));
            errors.OneOf(at.Child("protocol"), port.Str("protocol"), "SCTP", "TCP", "UDP");
        }
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("addressType", obj["addressType"], old["addressType"]);
}
