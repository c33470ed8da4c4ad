using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Network;

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
                    port.DefaultAbsent("protocol", "TCP");
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

        var types = spec.Strings("policyTypes");
        if (types.Count > 2)
        {
            errors.Add(FieldError.Invalid("spec.policyTypes", types, "may not specify more than two policyTypes"));
            return;
        }

        foreach (var (i, type) in types.Index())
            errors.Supported(new FieldPath("spec.policyTypes").Index(i), type, "Ingress", "Egress");
    }

    private static void Port(List<FieldError> errors, FieldPath at, JsonObject port)
    {
        errors.OptionalOneOf(at.Child("protocol"), port.Str("protocol"), "TCP", "UDP", "SCTP");
        var end = port.Num("endPort");
        if (port.IntStr("port") is not { } given)
        {
            if (end is not null)
                errors.Add(FieldError.Invalid(at.Child("endPort"), end, "may not be specified when `port` is not specified"));
            return;
        }

        if (given.IsString)
        {
            if (end is not null)
                errors.Add(FieldError.Invalid(at.Child("endPort"), end, "may not be specified when `port` is non-numeric"));
            errors.Rules(at.Child("port"), given.StringValue, Names.PortName(given.StringValue!));
            return;
        }

        errors.Rules(at.Child("port"), given.IntValue, Names.PortNumber(given.IntValue));
        if (end < given.IntValue)
            errors.Add(FieldError.Invalid(at.Child("endPort"), given.IntValue, "must be greater than or equal to `port`"));
        if (end is { } last)
            errors.Rules(at.Child("endPort"), last, Names.PortNumber(last));
    }

    private static void Peer(List<FieldError> errors, FieldPath at, JsonObject peer)
    {
        var selects = peer.Has("podSelector") || peer.Has("namespaceSelector");
        if (peer.Obj("podSelector") is { } pods)
            errors.LabelSelector(at.Child("podSelector"), pods, Ratchet.FollowingSelectorValue);
        if (peer.Obj("namespaceSelector") is { } namespaces)
            errors.LabelSelector(at.Child("namespaceSelector"), namespaces, Ratchet.FollowingSelectorValue);
        if (peer.Obj("ipBlock") is { } block)
        {
            Block(errors, at.Child("ipBlock"), block);
            if (selects)
                errors.Add(FieldError.Forbidden(at, "may not specify both ipBlock and another peer"));
        }
        else if (!selects)
        {
            errors.Add(FieldError.Required(at, "must specify a peer"));
        }
    }

    private static void Block(List<FieldError> errors, FieldPath at, JsonObject block)
    {
        var cidr = block.Str("cidr");
        if (cidr.Length == 0)
        {
            errors.Add(FieldError.Required(at.Child("cidr")));
            return;
        }

        errors.Cidr(at.Child("cidr"), cidr);
        if (!Check.IsCidr(cidr))
            return;
        foreach (var (i, except) in block.Strings("except").Index())
        {
            errors.Cidr(at.Child("except").Index(i), except);
            if (Check.IsCidr(except) && !IsInside(except, cidr))
                errors.Add(FieldError.Invalid(at.Child("except").Index(i), except, "must be a strict subset of `cidr`"));
        }
    }

    private static bool IsInside(string inner, string outer)
    {
        var (a, b) = (inner.Split('/'), outer.Split('/'));
        var (bits, length) = (int.Parse(b[1], System.Globalization.CultureInfo.InvariantCulture), int.Parse(a[1], System.Globalization.CultureInfo.InvariantCulture));
        var (small, big) = (System.Net.IPAddress.Parse(a[0]).GetAddressBytes(), System.Net.IPAddress.Parse(b[0]).GetAddressBytes());
        if (small.Length != big.Length || length <= bits)
            return false;
        for (var bit = 0; bit < bits; bit++)
        {
            if (((small[bit / 8] ^ big[bit / 8]) & (0x80 >> (bit % 8))) != 0)
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NetworkWarnings.Policy(obj);
}
