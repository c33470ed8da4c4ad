using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>ServiceCIDRs: the ranges that cluster IPs come from; one of a family, for good.</summary>
internal sealed class ServiceCidrStrategy(string version) : KindStrategy(Of("networking.k8s.io", version, "servicecidrs"), hasStatus: true)
{
    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        FieldPath path = "spec.cidrs";
        var cidrs = Spec(obj).Strings("cidrs");
        if (cidrs.Count == 0)
        {
            errors.Add(FieldError.Required(path, "at least one CIDR required"));
            return;
        }

        if (cidrs.Count > 2)
        {
            errors.Add(FieldError.Invalid(path, Spec(obj), "may only hold up to 2 values"));
            return;
        }

        if (cidrs.Count == 2 && cidrs[0].Contains(':') == cidrs[1].Contains(':'))
            errors.Add(FieldError.Invalid(path, Spec(obj), "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"));
        for (var i = 0; i < cidrs.Count; i++)
            errors.Cidr(path.Index(i), cidrs[i]);
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (now, was) = (Spec(obj).Strings("cidrs"), Spec(old).Strings("cidrs"));

        // A range of the other family may be added, none taken away.
        if (now.Count < was.Count || !was.SequenceEqual(now.Take(was.Count)))
            errors.Add(FieldError.Invalid("spec.cidrs", Spec(obj)["cidrs"], Check.Immutable));
    }
}

/// <summary>IPAddresses: a taken address by its canonical name, and who has it.</summary>
internal sealed class IpAddressStrategy(string version) : KindStrategy(Of("networking.k8s.io", version, "ipaddresses"), names: NameRule.PathSegment)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> ValidateName(string name, bool isPrefix)
    {
        if (!Check.IsIp(name))
            return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
        var canonical = System.Net.IPAddress.Parse(name).ToString();
        return canonical == name ? [] : [$"must be in canonical form ({GoText.Quote(canonical)})"];
    }

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors)
    {
        FieldPath at = "spec.parentRef";
        if (Spec(obj).Obj("parentRef") is not { } parent)
        {
            errors.Add(FieldError.Required(at));
            return;
        }

        if (parent.Str("group") is { Length: > 0 } group)
            errors.Rules(at.Child("group"), group, Names.Dns1123Subdomain(group));
        foreach (var field in new[] { "resource", "name" })
        {
            if (parent.Str(field).Length == 0)
                errors.Add(FieldError.Required(at.Child(field)));
            else
                errors.Rules(at.Child(field), parent.Str(field), Names.PathSegment(parent.Str(field)));
        }

        if (parent.Str("namespace") is { Length: > 0 } ns)
            errors.Rules(at.Child("namespace"), ns, Names.PathSegment(ns));
    }

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors) =>
        errors.Unchanged("spec.parentRef", Spec(obj)["parentRef"], Spec(old)["parentRef"]);
}
