using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

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
                {
                    var path = at.Child(list).Index(a);
                    errors.Ip(path.Child("ip"), address.Str("ip"));
                    if (address.Str("hostname") is { Length: > 0 } host)
                        errors.Rules(path.Child("hostname"), host, Names.Dns1123Label(host));
                    if (address.Has("nodeName"))
                        errors.Rules(path.Child("nodeName"), address.Str("nodeName"), Names.Dns1123Subdomain(address.Str("nodeName")));
                    Reachable(errors, path.Child("ip"), address.Str("ip"));
                }
            }

            var several = (subset.Arr("ports")?.Count ?? 0) > 1;
            foreach (var (p, port) in subset.Items("ports"))
            {
                var path = at.Child("ports").Index(p);
                if (several && port.Str("name").Length == 0)
                    errors.Add(FieldError.Required(path.Child("name")));
                else if (port.Str("name") is { Length: > 0 } name)
                    errors.Rules(path.Child("name"), name, Names.Dns1123Label(name));
                errors.Rules(path.Child("port"), port.Num("port") ?? 0, Names.PortNumber(port.Num("port") ?? 0));
                errors.OneOf(path.Child("protocol"), port.Str("protocol"), "SCTP", "TCP", "UDP");
                if (port.Has("appProtocol"))
                    errors.Rules(path.Child("appProtocol"), port.Str("appProtocol"), Names.QualifiedName(port.Str("appProtocol")));
            }
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NetworkWarnings.Endpoints(obj);

    /// <summary>An address that traffic can really be sent to.</summary>
    internal static void Reachable(List<FieldError> errors, FieldPath path, string text)
    {
        if (!System.Net.IPAddress.TryParse(text, out var ip))
        {
            errors.Add(FieldError.Invalid(path, text, "must be a valid IP address"));
            return;
        }

        var bytes = ip.GetAddressBytes();
        var four = bytes.Length == 4;
        if (ip.Equals(System.Net.IPAddress.Any) || ip.Equals(System.Net.IPAddress.IPv6Any))
            errors.Add(FieldError.Invalid(path, text, $"may not be unspecified ({text})"));
        if (System.Net.IPAddress.IsLoopback(ip))
            errors.Add(FieldError.Invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
        if (four ? bytes[0] == 169 && bytes[1] == 254 : ip.IsIPv6LinkLocal)
            errors.Add(FieldError.Invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
        if (four ? bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0 : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2)
            errors.Add(FieldError.Invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }
}
