using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of a pod's spec, alone and in a template, in the order Kubernetes reports them.</summary>
internal static class PodSpecValidation
{
    private const int MaxSearchPaths = 32;
    private const int MaxSearchCharacters = 2048;
    private const int MaxNameServers = 3;
    private const int MaxKernelName = 64;

    public static void Spec(List<FieldError> errors, FieldPath path, PodScope scope)
    {
        var spec = scope.Spec;
        VolumeValidation.All(errors, path.Child("volumes"), scope);
        ResourceValidation.PodClaims(errors, path.Child("resourceClaims"), spec);
        ContainerValidation.All(errors, path, scope);
        ResourceValidation.PodLevel(errors, path.Child("resources"), spec);
        HostNetworkPorts(errors, path.Child("containers"), scope);
        errors.OneOf(path.Child("restartPolicy"), spec.Str("restartPolicy"), "Always", "OnFailure", "Never");
        errors.OneOf(path.Child("dnsPolicy"), spec.Str("dnsPolicy"), "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None");
        errors.Labels(path.Child("nodeSelector"), spec.Obj("nodeSelector"));
        SecurityContextValidation.Pod(errors, path.Child("securityContext"), spec);
        SchedulingValidation.Affinity(errors, path.Child("affinity"), spec.Obj("affinity"));
        DnsConfig(errors, path.Child("dnsConfig"), spec);
        foreach (var (i, gate) in spec.Items("readinessGates"))
            errors.Rules(path.Child("readinessGates").Index(i).Child("conditionType"), gate.Str("conditionType"), Names.QualifiedName(gate.Str("conditionType")));
        SchedulingValidation.SchedulingGates(errors, path.Child("schedulingGates"), spec);
        SchedulingValidation.TopologySpread(errors, path.Child("topologySpreadConstraints"), spec);
        HostUsers(errors, path, scope);
        NameField(errors, path.Child("serviceAccountName"), spec.Str("serviceAccountName"), Names.Dns1123Subdomain);
        NameField(errors, path.Child("nodeName"), spec.Str("nodeName"), Names.Dns1123Subdomain);
        if (spec.Num("activeDeadlineSeconds") is { } deadline and (< 1 or > int.MaxValue))
            errors.Rules(path.Child("activeDeadlineSeconds"), deadline, Names.InRange(deadline, 1, int.MaxValue));
        NameField(errors, path.Child("hostname"), spec.Str("hostname"), Names.Dns1123Label);
        NameField(errors, path.Child("subdomain"), spec.Str("subdomain"), Names.Dns1123Label);
        HostnameOverride(errors, path.Child("hostnameOverride"), spec);
        SchedulingValidation.Tolerations(errors, path.Child("tolerations"), spec);
        HostAliases(errors, path.Child("hostAliases"), spec);
        NameField(errors, path.Child("priorityClassName"), spec.Str("priorityClassName"), Names.Dns1123Subdomain);
        if (spec.Has("runtimeClassName"))
            errors.Rules(path.Child("runtimeClassName"), spec.Str("runtimeClassName"), Names.Dns1123Subdomain(spec.Str("runtimeClassName")));
        if (spec.Has("preemptionPolicy"))
            errors.OneOf(path.Child("preemptionPolicy"), spec.Str("preemptionPolicy"), "PreemptLowerPriority", "Never");
        if (spec.Obj("overhead") is { } overhead)
            ResourceValidation.List(errors, path.Child("overhead", "limits"), overhead);
        OperatingSystem(errors, path, spec);
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
        if (!selectorFits && !(selector is not null && Check.SelectorIsEmpty(selector)))
            errors.Add(FieldError.Invalid(path.Child("metadata", "labels"), labels, "`selector` does not match template `labels`"));
        Template(errors, path, template);
        var spec = template.Obj("spec") ?? [];
        if (spec.Str("restartPolicy") is not ("Always" or ""))
            errors.Add(FieldError.NotSupported(path.Child("spec", "restartPolicy"), spec.Str("restartPolicy"), "Always"));
        if (spec.Has("activeDeadlineSeconds"))
            errors.Add(FieldError.Forbidden(path.Child("spec", "activeDeadlineSeconds"), $"activeDeadlineSeconds in {kind} is not Supported"));
    }

    public static void Template(List<FieldError> errors, FieldPath path, JsonObject template)
    {
        errors.Labels(path.Child("labels"), template.Obj("metadata", "labels"));
        errors.Annotations(path.Child("annotations"), template.Obj("metadata", "annotations"));
        var spec = template.Obj("spec") ?? [];
        PodMetadataValidation.Annotations(errors, path.Child("annotations"), template, spec);
        Spec(errors, path.Child("spec"), new PodScope(spec, pod: false));
        ProfileAnnotations.Agree(errors, path.Child("spec"), template, spec);
        if ((spec.Arr("ephemeralContainers")?.Count ?? 0) > 0)
            errors.Add(FieldError.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"));
    }

    private static void NameField(List<FieldError> errors, FieldPath path, string value, Func<string, IReadOnlyList<string>> rule)
    {
        if (value.Length > 0)
            errors.Rules(path, value, rule(value));
    }

    // KEP-4762: the kernel takes names of up to 64 bytes.
    private static void HostnameOverride(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (!spec.Has("hostnameOverride"))
            return;
        var name = spec.Str("hostnameOverride");
        if (spec.Bool("setHostnameAsFQDN"))
            errors.Add(FieldError.Forbidden(path, "may not be specified when setHostnameAsFQDN is true"));
        if (spec.Bool("hostNetwork"))
            errors.Add(FieldError.Forbidden(path, "may not be specified when hostNetwork is true"));
        errors.Rules(path, name, Names.Dns1123Subdomain(name));
        if (name.Length > MaxKernelName)
            errors.Add(FieldError.TooLong(path, MaxKernelName));
    }

    // A pod in the host's network listens where it says; a template may leave the host's port out, it is filled in with the pod.
    private static void HostNetworkPorts(List<FieldError> errors, FieldPath path, PodScope scope)
    {
        if (!scope.Spec.Bool("hostNetwork"))
            return;
        foreach (var (c, container) in scope.Spec.Items("containers"))
        {
            foreach (var (p, port) in container.Items("ports"))
            {
                var hostPort = port.Num("hostPort") ?? 0;
                if ((scope.IsPod || hostPort != 0) && hostPort != (port.Num("containerPort") ?? 0))
                {
                    errors.Add(FieldError.Invalid(
                        path.Index(c).Child("ports").Index(p).Child("hostPort"), hostPort, "must match `containerPort` when `hostNetwork` is true"));
                }
            }
        }
    }

    private static void HostUsers(List<FieldError> errors, FieldPath path, PodScope scope)
    {
        if (scope.HostUsers)
            return;
        foreach (var (field, shown) in new[] { ("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC") })
        {
            if (scope.Spec.Bool(field))
                errors.Add(FieldError.Forbidden(path.Child(shown), "when `hostUsers` is false"));
        }

        foreach (var list in new[] { "initContainers", "containers", "ephemeralContainers" })
        {
            foreach (var (i, container) in scope.Spec.Items(list))
            {
                if ((container.Arr("volumeDevices")?.Count ?? 0) > 0)
                    errors.Add(FieldError.Forbidden(path.Child(list).Index(i).Child("volumeDevices"), "when `hostUsers` is false") with { Rule = Ratchet.UserNamespaceDevices });
            }
        }
    }

    private static void HostAliases(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        foreach (var (i, alias) in spec.Items("hostAliases"))
        {
            errors.Ip(path.Index(i).Child("ip"), alias.Str("ip"));
            foreach (var (h, host) in alias.Strings("hostnames").Index())
                errors.Rules(path.Index(i).Child("hostnames").Index(h), host, Names.Dns1123Subdomain(host));
        }
    }

    private static void DnsConfig(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        var config = spec.Obj("dnsConfig");
        var servers = config.Strings("nameservers");
        if (spec.Str("dnsPolicy") == "None")
        {
            if (config is null)
            {
                errors.Add(FieldError.Required(path, "must provide `dnsConfig` when `dnsPolicy` is None"));
                return;
            }

            if (servers.Count == 0)
            {
                errors.Add(FieldError.Required(path.Child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"));
                return;
            }
        }

        if (servers.Count > MaxNameServers)
            errors.Add(FieldError.Invalid(path.Child("nameservers"), servers, $"must not have more than {MaxNameServers} nameservers"));
        for (var i = 0; i < servers.Count; i++)
            errors.Ip(path.Child("nameservers").Index(i), servers[i]);
        var searches = config.Strings("searches");
        if (searches.Count > MaxSearchPaths)
            errors.Add(FieldError.Invalid(path.Child("searches"), searches, $"must not have more than {MaxSearchPaths} search paths"));
        if (string.Join(' ', searches).Length > MaxSearchCharacters)
            errors.Add(FieldError.Invalid(path.Child("searches"), searches, $"must not have more than {MaxSearchCharacters} characters (including spaces) in the search list"));
        for (var i = 0; i < searches.Count; i++)
        {
            if (searches[i] == ".")
                continue;
            var search = searches[i].EndsWith('.') ? searches[i][..^1] : searches[i];
            errors.Rules(path.Child("searches").Index(i), search, Names.Dns1123SubdomainWithUnderscore(search));
        }

        foreach (var (i, option) in config.Items("options"))
        {
            if (option.Str("name").Length == 0)
                errors.Add(FieldError.Required(path.Child("options").Index(i), "must not be empty"));
        }
    }

    private static void OperatingSystem(List<FieldError> errors, FieldPath path, JsonObject spec)
    {
        if (spec.Obj("os") is not { } os)
            return;
        switch (os.Str("name"))
        {
            case "":
                errors.Add(FieldError.Required(path.Child("os", "name"), "cannot be empty"));
                break;
            case "linux":
                OsValidation.Linux(errors, path, spec);
                break;
            case "windows":
                OsValidation.Windows(errors, path, spec);
                break;
            default:
                errors.Add(FieldError.NotSupported(path.Child("os"), os.Str("name"), "linux", "windows"));
                break;
        }
    }
}
