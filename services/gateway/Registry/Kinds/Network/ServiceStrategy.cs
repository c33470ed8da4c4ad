using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Warnings;

namespace Mesh.Gateway.Registry.Kinds.Network;

/// <summary>Services.</summary>
internal sealed class ServiceStrategy(ServiceAllocator allocator) : KindStrategy(Of("", "v1", "services"), hasStatus: true, names: NameRule.Label)
{
    private static readonly string[] Fields = ["spec.clusterIP", "spec.type"];

    /// <inheritdoc/>
    public override IReadOnlyList<string> SelectableFields => Fields;

    /// <inheritdoc/>
    public override bool AllowCreateOnUpdate => true;

    /// <summary>Every type but ExternalName has a cluster IP, unless it says None.</summary>
    public static bool NeedsClusterIp(JsonObject spec) => spec.Str("type") != "ExternalName" && spec.Str("clusterIP") != "None";

    /// <summary>Types reached through the nodes.</summary>
    public static bool NeedsNodePort(JsonObject spec) => spec.Str("type") switch
    {
        "NodePort" => true,
        "LoadBalancer" => spec["allocateLoadBalancerNodePorts"] is null || spec.Bool("allocateLoadBalancerNodePorts"),
        _ => false,
    };

    /// <summary>A load balancer that keeps traffic on the node asks the node whether it has endpoints.</summary>
    public static bool NeedsHealthPort(JsonObject spec) => spec.Str("type") == "LoadBalancer" && spec.Str("externalTrafficPolicy") == "Local";

    /// <inheritdoc/>
    public override string[] SelectableValues(JsonObject obj) => [obj.Obj("spec").Str("clusterIP"), obj.Obj("spec").Str("type")];

    /// <inheritdoc/>
    public override void Default(JsonObject obj)
    {
        var spec = obj.Ensure("spec");
        spec.Default("type", "ClusterIP");
        spec.Default("sessionAffinity", "None");
        if (spec.Str("sessionAffinity") == "None")
            spec.Remove("sessionAffinityConfig");
        else if (spec.Str("sessionAffinity") == "ClientIP")
            spec.Ensure("sessionAffinityConfig").Ensure("clientIP").Default("timeoutSeconds", 10800);

        foreach (var (_, port) in spec.Items("ports"))
        {
            port.Default("protocol", "TCP");
            var target = port.IntStr("targetPort");
            if ((target is null || (target.Value.IsString ? target.Value.StringValue!.Length == 0 : target.Value.IntValue == 0)) && port.Num("port") is { } number)
                port["targetPort"] = number;
        }

        var type = spec.Str("type");
        if (type is "NodePort" or "LoadBalancer" || (type == "ClusterIP" && (spec.Arr("externalIPs")?.Count ?? 0) > 0))
            spec.Default("externalTrafficPolicy", "Cluster");
        if (type is "NodePort" or "LoadBalancer" or "ClusterIP")
            spec.Default("internalTrafficPolicy", "Cluster");
        if (type == "LoadBalancer")
            spec.Default("allocateLoadBalancerNodePorts", true);
    }

    /// <inheritdoc/>
    public override void PrepareForCreate(JsonObject obj, StrategyContext context)
    {
        base.PrepareForCreate(obj, context);
        obj["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        var spec = obj.Ensure("spec");
        BothIps(spec);
        Families(spec);
    }

    /// <inheritdoc/>
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, StrategyContext context)
    {
        base.PrepareForUpdate(obj, old, context);
        var (spec, was) = (obj.Ensure("spec"), Spec(old));
        KeepAllocated(spec, was);
        BothIps(spec);
        DropForType(spec, was);
        if (spec.Str("type") != "ExternalName")
        {
            foreach (var name in new[] { "ipFamilies", "ipFamilyPolicy" })
            {
                if (!spec.Has(name) && was[name] is { } value)
                    spec[name] = value.DeepClone();
            }
        }

        Families(spec);
    }

    /// <inheritdoc/>
    public override async ValueTask<IReservation?> ReserveAsync(JsonObject? obj, JsonObject? old, StrategyContext context, CancellationToken ct) =>
        await allocator.ReserveAsync(obj, old, context.Reservations, ct);

    /// <inheritdoc/>
    public override void Validate(JsonObject obj, List<FieldError> errors) => ServiceValidation.Spec(errors, "spec", Spec(obj));

    /// <inheritdoc/>
    public override void ValidateUpdate(JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var (spec, was) = (Spec(obj), Spec(old));
        if (spec.Str("type") == "ExternalName" || was.Str("type") == "ExternalName" || (spec.Str("clusterIP") == "None" && was.Str("clusterIP") == "None"))
            return;
        var (ips, before) = (spec.Strings("clusterIPs"), was.Strings("clusterIPs"));
        if (before.Count > 0 && ips.Count == 0)
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", null, "primary clusterIP can not be unset"));
        for (var i = 0; i < Math.Min(ips.Count, before.Count); i++)
        {
            if (ips[i] != before[i])
                errors.Add(FieldError.Invalid(new FieldPath("spec.clusterIPs").Index(i), ips, "may not change once set"));
        }

        if (spec.Str("clusterIP") != "None" && was.Str("clusterIP") != "None" && was.Strings("ipFamilies") is [var primary, ..] && spec.Strings("ipFamilies") is [var family, ..] && family != primary)
            errors.Add(FieldError.Invalid("spec.ipFamilies[0]", spec["ipFamilies"], "may not change once set"));
        if (spec.Str("type") == "LoadBalancer" && was.Str("type") == "LoadBalancer" && spec.Str("loadBalancerClass") != was.Str("loadBalancerClass"))
            errors.Add(FieldError.Invalid("spec.loadBalancerClass", spec["loadBalancerClass"], "may not change once set"));
        if (NeedsHealthPort(spec) && NeedsHealthPort(was) && spec.Num("healthCheckNodePort") != was.Num("healthCheckNodePort"))
            errors.Add(FieldError.Forbidden("spec.healthCheckNodePort", Check.Immutable));
    }

    /// <inheritdoc/>
    public override void ValidateSubresourceUpdate(string subresource, JsonObject obj, JsonObject old, List<FieldError> errors)
    {
        var balancer = obj.Obj("status", "loadBalancer");
        if (Spec(obj).Str("type") != "LoadBalancer" && balancer.Items("ingress").Any())
            errors.Add(FieldError.Forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is 'LoadBalancer'"));
        else
            LoadBalancerStatus.Check(errors, "status.loadBalancer", balancer);
    }

    // clusterIP and clusterIPs[0] are one value; who gives one gives both.
    private static void BothIps(JsonObject spec)
    {
        var (one, list) = (spec.Str("clusterIP"), spec.Strings("clusterIPs"));
        if (one.Length > 0 && list.Count == 0)
            spec["clusterIPs"] = new JsonArray(one);
        else if (one.Length == 0 && list.Count > 0)
            spec["clusterIP"] = list[0];
    }

    private static void Families(JsonObject spec)
    {
        if (spec.Str("type") == "ExternalName")
            return;
        var ip = spec.Str("clusterIP");
        if ((spec.Arr("ipFamilies")?.Count ?? 0) == 0)
            spec["ipFamilies"] = new JsonArray(ip.Contains(':') ? "IPv6" : "IPv4");
        if (ip == "None" && (spec.Obj("selector")?.Count ?? 0) == 0)
        {
            // Endpoints without selector and without virtual IP may be of either family.
            spec.Default("ipFamilyPolicy", "RequireDualStack");
            if (spec.Str("ipFamilyPolicy") != "SingleStack" && spec.Strings("ipFamilies") is [var only])
                spec["ipFamilies"] = new JsonArray(only, only == "IPv4" ? "IPv6" : "IPv4");
        }

        spec.Default("ipFamilyPolicy", "SingleStack");
    }

    // What the server gave stays when a writer leaves it out.
    private static void KeepAllocated(JsonObject spec, JsonObject was)
    {
        // Who changes the one name of the first address means the other too.
        if (spec.Str("clusterIP") is { Length: > 0 } changed && changed != was.Str("clusterIP") && spec.Arr("clusterIPs") is { Count: > 0 } list && JsonNode.DeepEquals(list, was["clusterIPs"]))
            list[0] = changed;
        if (spec.Str("type") != "ExternalName" && was.Str("type") != "ExternalName" && spec.Str("clusterIP").Length == 0 && spec.Strings("clusterIPs").Count == 0
            && was.Str("clusterIP").Length > 0)
        {
            spec["clusterIP"] = was.Str("clusterIP");
            spec["clusterIPs"] = was["clusterIPs"]?.DeepClone();
        }

        if (NeedsNodePort(spec) && NeedsNodePort(was))
        {
            var used = spec.Items("ports").Select(p => p.Item.Num("nodePort")).Where(n => n > 0).ToHashSet();
            foreach (var (_, port) in spec.Items("ports"))
            {
                var match = was.Items("ports").Select(p => p.Item).FirstOrDefault(p => p.Num("port") == port.Num("port") && p.Str("protocol") == port.Str("protocol"));
                if (port.Num("nodePort") is null or 0 && match.Num("nodePort") is > 0 and var number && !used.Contains(number))
                    port["nodePort"] = number;
            }
        }

        if (NeedsHealthPort(spec) && NeedsHealthPort(was) && !spec.Has("healthCheckNodePort") && was["healthCheckNodePort"] is { } health)
            spec["healthCheckNodePort"] = health.DeepClone();
    }

    // A change of type gives back what the new type does not use, if the writer left it as it was.
    private static void DropForType(JsonObject spec, JsonObject was)
    {
        if (spec.Str("type") == "ExternalName" && was.Str("type") != "ExternalName")
        {
            if (spec.Str("clusterIP") == was.Str("clusterIP"))
            {
                spec.Remove("clusterIP");
                spec.Remove("clusterIPs");
            }

            spec.Remove("ipFamilies");
            spec.Remove("ipFamilyPolicy");
            spec.Remove("internalTrafficPolicy");
        }

        if (!NeedsNodePort(spec) && NeedsNodePort(was))
        {
            foreach (var (_, port) in spec.Items("ports"))
            {
                if (was.Items("ports").Any(p => p.Item.Num("nodePort") == port.Num("nodePort")))
                    port.Remove("nodePort");
            }
        }

        if (!NeedsHealthPort(spec) && NeedsHealthPort(was))
            spec.Remove("healthCheckNodePort");
        if (spec.Str("type") == "ClusterIP" && was.Str("type") != "ClusterIP" && (spec.Arr("externalIPs")?.Count ?? 0) == 0)
            spec.Remove("externalTrafficPolicy");
        if (spec.Str("type") != "LoadBalancer" && was.Str("type") == "LoadBalancer")
            spec.Remove("allocateLoadBalancerNodePorts");
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(JsonObject obj, JsonObject? old) => NetworkWarnings.Service(obj);
}
