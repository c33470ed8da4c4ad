using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>EndpointSlices.</summary>
internal sealed class EndpointSliceStrategy() : KindStrategy(Of("discovery.k8s.io", "v1", "endpointslices"), generation: true)
{
    private const int MaxEndpoints = 1000;
    private const int MaxAddresses = 100;
    private const int MaxPorts = 20_000;
    private const int MaxTopologyLabels = 16;
    private const int MaxHints = 8;

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
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        DropTopology(obj);
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        // What was stored long ago stays while nobody changes the endpoints.
        if (!JsonAccess.Same(obj["endpoints"], old["endpoints"]))
            DropTopology(obj);
        base.PrepareForUpdate(obj, old, context);
        // Labels say which service the slice is of: they count too.
        var (now, was) = (obj.Obj("metadata")!, old.Obj("metadata"));
        if (now.Num("generation") == was.Num("generation") && !JsonAccess.Same(now["labels"], was?["labels"]))
            now["generation"] = (was.Num("generation") ?? 0) + 1;
    }

    // The field is of versions before v1; v1 takes no word of it.
    private static void DropTopology(JsonObject obj)
    {
        foreach (var (_, endpoint) in obj.Items("endpoints"))
            endpoint.Remove("deprecatedTopology");
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        var family = obj.Str("addressType");
        errors.OneOf("addressType", family, "FQDN", "IPv4", "IPv6");
        Endpoints(errors, obj, family);
        Ports(errors, obj);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) => errors.Unchanged("addressType", obj["addressType"], old["addressType"]);

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NetworkWarnings.Slice(obj, old);

    private static void Endpoints(List<FieldError> errors, JsonObject obj, string family)
    {
        var count = obj.Arr("endpoints")?.Count ?? 0;
        if (count > MaxEndpoints)
        {
            errors.Add(FieldError.TooMany("endpoints", count, MaxEndpoints));
            return;
        }

        foreach (var (i, endpoint) in obj.Items("endpoints"))
        {
            var at = new FieldPath("endpoints").Index(i);
            Addresses(errors, at.Child("addresses"), endpoint, family);
            if (endpoint.Has("nodeName"))
                errors.Rules(at.Child("nodeName"), endpoint.Str("nodeName"), Names.Dns1123Subdomain(endpoint.Str("nodeName")));
            if (endpoint.Obj("deprecatedTopology") is { } topology)
            {
                if (topology.Count > MaxTopologyLabels)
                    errors.Add(FieldError.TooMany(at.Child("deprecatedTopology"), topology.Count, MaxTopologyLabels));
                errors.Labels(at.Child("deprecatedTopology"), topology);
            }

            if (endpoint.Has("hostname"))
                errors.Rules(at.Child("hostname"), endpoint.Str("hostname"), Names.Dns1123Label(endpoint.Str("hostname")));
            Hints(errors, at.Child("hints"), endpoint.Obj("hints"));
        }
    }

    private static void Addresses(List<FieldError> errors, FieldPath at, JsonObject endpoint, string family)
    {
        var addresses = endpoint.Strings("addresses");
        if (addresses.Count == 0)
            errors.Add(FieldError.Required(at, "must contain at least 1 address"));
        else if (addresses.Count > MaxAddresses)
            errors.Add(FieldError.TooMany(at, addresses.Count, MaxAddresses));
        foreach (var (a, address) in addresses.Index())
        {
            if (family == "FQDN")
            {
                errors.Rules(at.Index(a), address, Names.Dns1123Subdomain(address));
                if (!address.Contains('.'))
                    errors.Add(FieldError.Invalid(at.Index(a), address, "should be a domain with at least two segments separated by dots"));
                continue;
            }

            if (family is not ("IPv4" or "IPv6"))
                continue;
            if (!Check.IsIp(address) || address.Contains(':') != (family == "IPv6"))
                errors.Add(FieldError.Invalid(at.Index(a), address, $"must be a valid {family} address") with { Rule = Ratchet.Address });
            EndpointsStrategy.Reachable(errors, at.Index(a), address);
        }
    }

    private static void Hints(List<FieldError> errors, FieldPath path, JsonObject? hints)
    {
        foreach (var list in new[] { "forZones", "forNodes" })
        {
            var names = hints.Items(list).Select(static h => h.Item.Str("name")).ToList();
            if (names.Count > MaxHints)
            {
                errors.Add(FieldError.TooMany(path.Child(list), names.Count, MaxHints));
                continue;
            }

            for (var i = 0; i < names.Count; i++)
            {
                var at = path.Child(list).Index(i).Child("name");
                if (names.IndexOf(names[i]) < i)
                    errors.Add(FieldError.Duplicate(at, names[i]));
                errors.Rules(at, names[i], list == "forZones" ? Names.LabelValue(names[i]) : Names.Dns1123Subdomain(names[i]));
            }
        }
    }

    private static void Ports(List<FieldError> errors, JsonObject obj)
    {
        var count = obj.Arr("ports")?.Count ?? 0;
        if (count > MaxPorts)
        {
            errors.Add(FieldError.TooMany("ports", count, MaxPorts));
            return;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, port) in obj.Items("ports"))
        {
            var at = new FieldPath("ports").Index(i);
            var name = port.Str("name");
            if (name.Length > 0)
                errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
            if (!names.Add(name))
                errors.Add(FieldError.Duplicate(at.Child("name"), name));
            errors.OneOf(at.Child("protocol"), port.Str("protocol"), "SCTP", "TCP", "UDP");
            if (port.Has("appProtocol"))
                errors.Rules(at.Child("appProtocol"), port.Str("appProtocol"), Names.QualifiedName(port.Str("appProtocol")));
        }
    }
}
