using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Quotas;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Defaults of a pod's spec, alone and in a template.</summary>
internal static class PodDefaults
{
    private static readonly string[] ContainerLists = ["initContainers", "containers", "ephemeralContainers"];

    /// <summary>Defaults of a pod.</summary>
    public static void Pod(JsonObject pod)
    {
        var spec = pod.Ensure("spec");
        Spec(spec);
        spec.Default("enableServiceLinks", true);
        Addresses(pod.Obj("status"));
        foreach (var list in new[] { "initContainers", "containers" })
        {
            foreach (var (_, container) in spec.Items(list))
            {
                RequestsFromLimits(container.Obj("resources"));
                if (spec.Bool("hostNetwork"))
                    HostPorts(container);
            }
        }

        PodLevel(spec);
    }

    // KEP-2837: a pod that says something for all its containers together gets the rest from them: limits of huge pages (which cannot be promised
    // twice) and requests for what can; what no container asks for is asked for as far as it is allowed.
    private static void PodLevel(JsonObject spec)
    {
        if (spec.Obj("resources") is not { } own || ((own.Obj("requests")?.Count ?? 0) == 0 && (own.Obj("limits")?.Count ?? 0) == 0))
            return;
        foreach (var (name, amount) in PodResources.Sum(spec, "limits"))
        {
            if (ResourceNames.IsHugePage(name))
                own.Ensure("limits").TryAdd(name, amount.ToString());
        }

        foreach (var (name, amount) in PodResources.Sum(spec))
        {
            if (name is "cpu" or "memory")
                own.Ensure("requests").TryAdd(name, amount.ToString());
        }

        foreach (var (name, limit) in own.Obj("limits") ?? [])
        {
            if (name is "cpu" or "memory" || ResourceNames.IsHugePage(name))
                own.Ensure("requests").TryAdd(name, limit?.DeepClone());
        }
    }

    // podIP is the older name of the first of podIPs: what differs from it replaces them.
    private static void Addresses(JsonObject? status)
    {
        if (status.Str("podIP") is not { Length: > 0 } first)
            return;
        if (status.Items("podIPs").Select(static a => a.Item.Str("ip")).FirstOrDefault() != first)
            status!["podIPs"] = new JsonArray(new JsonObject { ["ip"] = first });
    }

    /// <summary>Defaults of a template (what pods get on their own only comes with the pod).</summary>
    public static void Template(JsonObject? template)
    {
        if (template is null)
            return;
        template.Ensure("metadata");
        Spec(template.Ensure("spec"));
    }

    private static void Spec(JsonObject spec)
    {
        spec.Default("restartPolicy", "Always");
        spec.Default("terminationGracePeriodSeconds", 30);
        spec.Default("dnsPolicy", "ClusterFirst");
        spec.Ensure("securityContext");
        spec.Default("schedulerName", "default-scheduler");

        // serviceAccount is the old name of serviceAccountName; both are served.
        var account = spec.Str("serviceAccountName");
        account = account.Length > 0 ? account : spec.Str("serviceAccount");
        if (account.Length > 0)
            (spec["serviceAccountName"], spec["serviceAccount"]) = (account, account);

        foreach (var list in ContainerLists)
        {
            foreach (var (_, container) in spec.Items(list))
                Container(container);
        }

        foreach (var (_, volume) in spec.Items("volumes"))
            VolumeDefaults.Volume(volume);
        Quantities(spec.Obj("overhead"));
        Resources(spec.Obj("resources"));
    }

    private static void Container(JsonObject container)
    {
        container.Default("imagePullPolicy", ImageReference.Tag(container.Str("image")) == "latest" ? "Always" : "IfNotPresent");
        container.Default("terminationMessagePath", "/dev/termination-log");
        container.Default("terminationMessagePolicy", "File");
        Resources(container.Ensure("resources"));
        foreach (var (_, port) in container.Items("ports"))
            port.Default("protocol", "TCP");
        foreach (var (_, env) in container.Items("env"))
        {
            env.Obj("valueFrom", "fieldRef")?.Default("apiVersion", "v1");
            env.Obj("valueFrom", "resourceFieldRef")?.Default("divisor", "0");
        }

        foreach (var name in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
            Probe(container.Obj(name));
        var lifecycle = container.Obj("lifecycle");
        HttpGet(lifecycle.Obj("postStart", "httpGet"));
        HttpGet(lifecycle.Obj("preStop", "httpGet"));
    }

    private static void Probe(JsonObject? probe)
    {
        if (probe is null)
            return;
        probe.DefaultZero("timeoutSeconds", 1);
        probe.DefaultZero("periodSeconds", 10);
        probe.DefaultZero("successThreshold", 1);
        probe.DefaultZero("failureThreshold", 3);
        HttpGet(probe.Obj("httpGet"));
        probe.Obj("grpc")?.TryAdd("service", string.Empty);
    }

    private static void HttpGet(JsonObject? action)
    {
        action?.Default("path", "/");
        action?.Default("scheme", "HTTP");
    }

    private static void HostPorts(JsonObject container)
    {
        foreach (var (_, port) in container.Items("ports"))
        {
            if (port.Num("hostPort") is null or 0 && port.Num("containerPort") is { } number)
                port["hostPort"] = number;
        }
    }

    private static void RequestsFromLimits(JsonObject? resources)
    {
        foreach (var (name, limit) in resources.Obj("limits") ?? [])
            resources!.Ensure("requests").TryAdd(name, limit?.DeepClone());
    }

    private static void Resources(JsonObject? resources)
    {
        Quantities(resources.Obj("limits"));
        Quantities(resources.Obj("requests"));
    }

    /// <summary>Rewrites a resource list the canonical way: 0.5 is 500m.</summary>
    public static void Quantities(JsonObject? list)
    {
        foreach (var (name, value) in list?.ToArray() ?? [])
        {
            if (value is JsonValue && Quantity.Canonicalize(value.ToString()) is var text && text != value.ToString())
                list![name] = text;
        }
    }
}
