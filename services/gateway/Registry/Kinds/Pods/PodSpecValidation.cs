using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of a pod's spec, alone and in a template.</summary>
internal static class PodSpecValidation
{
    public static void Spec(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var volumes = VolumeValidation.All(errors, path.Child("volumes"), spec);
        ContainerValidation.All(errors, path, spec, volumes);
        errors.OneOf(path.Child("restartPolicy"), spec.Str("restartPolicy"), "Always", "OnFailure", "Never");
        errors.OneOf(path.Child("dnsPolicy"), spec.Str("dnsPolicy"), "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None");
        errors.Labels(path.Child("nodeSelector"), spec.Obj("nodeSelector"));
        SecurityContextValidation.Pod(errors, path.Child("securityContext"), spec);
        foreach (var (i, secret) in spec.Items("imagePullSecrets"))
        {
            if (secret.Count > 1 && secret.Str("name").Length == 0)
                errors.Add(FieldError.Required(path.Child("imagePullSecrets").Index(i).Child("name")));
        }

        SchedulingValidation.Affinity(errors, path.Child("affinity"), spec.Obj("affinity"));
        DnsConfig(errors, path.Child("dnsConfig"), spec);
        foreach (var (i, gate) in spec.Items("readinessGates"))
            errors.Rules(path.Child("readinessGates").Index(i).Child("conditionType"), gate.Str("conditionType"), Names.QualifiedName(gate.Str("conditionType")));
        SchedulingValidation.SchedulingGates(errors, path.Child("schedulingGates"), spec);
        SchedulingValidation.TopologySpread(errors, path.Child("topologySpreadConstraints"), spec);
        NameField(errors, path.Child("serviceAccountName"), spec.Str("serviceAccountName"), Names.Dns1123Subdomain);
        NameField(errors, path.Child("nodeName"), spec.Str("nodeName"), Names.Dns1123Subdomain);
        if (spec.Num("activeDeadlineSeconds") is { } deadline and (< 1 or > int.MaxValue))
            errors.Rules(path.Child("activeDeadlineSeconds"), deadline, Names.InRange(deadline, 1, int.MaxValue));
        NameField(errors, path.Child("hostname"), spec.Str("hostname"), Names.Dns1123Label);
        NameField(errors, path.Child("subdomain"), spec.Str("subdomain"), Names.Dns1123Label);
        SchedulingValidation.Tolerations(errors, path.Child("tolerations"), spec);
        foreach (var (i, alias) in spec.Items("hostAliases"))
        {
            errors.Ip(path.Child("hostAliases").Index(i).Child("ip"), alias.Str("ip"));
            foreach (var host in alias.Strings("hostnames"))
                errors.Rules(path.Child("hostAliases").Index(i).Child("hostnames"), host, Names.Dns1123Subdomain(host));
        }

        NameField(errors, path.Child("priorityClassName"), spec.Str("priorityClassName"), Names.Dns1123Subdomain);
        NameField(errors, path.Child("runtimeClassName"), spec.Str("runtimeClassName"), Names.Dns1123Subdomain);
        NameField(errors, path.Child("schedulerName"), spec.Str("schedulerName"), Names.QualifiedName);
        errors.OptionalOneOf(path.Child("preemptionPolicy"), spec.Str("preemptionPolicy"), "Never", "PreemptLowerPriority");
        ResourceValidation.List(errors, path.Child("overhead"), spec.Obj("overhead"));
        ResourceValidation.Requirements(errors, path.Child("resources"), spec.Obj("resources"));
        if (spec.Obj("os") is { } os)
            errors.OneOf(path.Child("os", "name"), os.Str("name"), "linux", "windows");
    }

    /// <summary>A template of a workload that keeps its pods running for ever.</summary>
    public static void RunningTemplate(List<FieldError> errors, FieldPath path, JsonObject? template, JsonObject? selector, bool selectorFits, string kind)
    {
        if (template is null)
        {
            errors.Add(FieldError.Required(path));
            return;
        }

        var labels = template.Obj("metadata", "labels");
        if (!Check.SelectorIsEmpty(selector) && !selectorFits)
            errors.Add(FieldError.Invalid(path.Child("metadata", "labels"), labels ?? [], "`selector` does not match template `labels`"));
        Template(errors, path, template);
        var spec = template.Obj("spec") ?? [];
        if (spec.Str("restartPolicy") is not ("Always" or ""))
            errors.Add(FieldError.NotSupported(path.Child("spec", "restartPolicy"), spec.Str("restartPolicy"), "Always"));
        if (spec.Has("activeDeadlineSeconds"))
            errors.Add(FieldError.Forbidden(path.Child("spec", "activeDeadlineSeconds"), $"activeDeadlineSeconds in {kind} is not Supported"));
    }

    public static void Template(List<FieldError> errors, FieldPath path, JsonObject template)
    {
        errors.Labels(path.Child("metadata", "labels"), template.Obj("metadata", "labels"));
        foreach (var (key, _) in template.Obj("metadata", "annotations") ?? [])
            errors.Rules(path.Child("metadata", "annotations"), key, Names.QualifiedName(key.ToLowerInvariant()));
        var spec = template.Obj("spec") ?? [];
        Spec(errors, path.Child("spec"), spec);
        if ((spec.Arr("ephemeralContainers")?.Count ?? 0) > 0)
            errors.Add(FieldError.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"));
    }

    private static void NameField(List<FieldError> errors, FieldPath path, string value, Func<string, IReadOnlyList<string>> rule)
    {
        if (value.Length > 0)
            errors.Rules(path, value, rule(value));
    }

    private static void DnsConfig(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var config = spec.Obj("dnsConfig");
        if (spec.Str("dnsPolicy") == "None")
        {
            if (config is null)
                errors.Add(FieldError.Required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
            else if ((config.Arr("nameservers")?.Count ?? 0) == 0)
                errors.Add(FieldError.Required(path.Child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"));
        }

        var servers = config.Strings("nameservers");
        if (servers.Count > 3)
            errors.Add(FieldError.Invalid(path.Child("nameservers"), servers, "must not have more than 3 nameservers"));
        for (var i = 0; i < servers.Count; i++)
            errors.Ip(path.Child("nameservers").Index(i), servers[i]);
        var searches = config.Strings("searches");
        for (var i = 0; i < searches.Count; i++)
        {
            if (searches[i] != ".")
                errors.Rules(path.Child("searches").Index(i), searches[i], Names.Dns1123SubdomainWithUnderscore(searches[i].TrimEnd('.')));
        }

        foreach (var (i, option) in config.Items("options"))
        {
            if (option.Str("name").Length == 0)
                errors.Add(FieldError.Required(path.Child("options").Index(i), "must not be empty"));
        }
    }
}
