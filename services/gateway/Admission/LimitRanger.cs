using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Quotas;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>Gives containers the namespace's default requests and limits, and refuses pods and claims outside of its limits.</summary>
internal sealed class LimitRanger(IObjectReader objects) : AdmissionPlugin("LimitRanger")
{
    private const string Annotation = "kubernetes.io/limit-ranger";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) => resource.Group.Length == 0 && resource.Plural switch
    {
        // What a pod takes changes through resize alone.
        "pods" => (operation == AdmissionOperation.Create && subresource.Length == 0) || (operation == AdmissionOperation.Update && subresource == "resize"),
        "persistentvolumeclaims" => operation is AdmissionOperation.Create or AdmissionOperation.Update && subresource.Length == 0,
        _ => false,
    };

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (!IsPod(attributes.Resource) || attributes.Operation != AdmissionOperation.Create || attributes.Object is not { } pod) return;
        foreach (var range in await RangesAsync(attributes, ct)) SetDefaults(pod, range);
    }

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } obj) return;
        foreach (var range in await RangesAsync(attributes, ct))
        {
            var errors = new List<string>();
            foreach (var limit in range.Objects("spec", "limits"))
            {
                if (IsPod(attributes.Resource)) Pod(errors, obj, limit);
                else Claim(errors, obj, limit);
            }

            if (errors.Count > 0) throw Forbidden(attributes, errors.Count == 1 ? errors[0] : "[" + string.Join(", ", errors.Distinct(StringComparer.Ordinal)) + "]");
        }
    }

    private ValueTask<IReadOnlyList<JsonObject>> RangesAsync(AdmissionAttributes attributes, CancellationToken ct) =>
        objects.ListAsync(RbacResources.LimitRanges, attributes.Namespace, ct);

    private static void SetDefaults(JsonObject pod, JsonObject range)
    {
        var said = new List<string>();
        foreach (var limit in range.Objects("spec", "limits").Where(static l => l.Text("type") == "Container"))
        {
            foreach (var container in pod.Objects("spec", "containers")) SetDefaults(container, limit, "container", said);
            foreach (var container in pod.Objects("spec", "initContainers")) SetDefaults(container, limit, "init container", said);
        }

        if (said.Count == 0) return;
        if (pod["metadata"] is not JsonObject meta) pod["metadata"] = meta = [];
        if (meta["annotations"] is not JsonObject annotations) meta["annotations"] = annotations = [];
        annotations[Annotation] = "LimitRanger plugin set: " + string.Join("; ", said);
    }

    private static void SetDefaults(JsonObject container, JsonObject limit, string what, List<string> said)
    {
        if (container["resources"] is not JsonObject resources) container["resources"] = resources = [];
        foreach (var (list, defaults, word) in new[] { ("requests", "defaultRequest", "request"), ("limits", "default", "limit") })
        {
            var set = new List<string>();
            foreach (var (name, amount) in limit[defaults] as JsonObject ?? [])
            {
                if (resources[list] is not JsonObject own) resources[list] = own = [];
                if (own.TryAdd(name, amount?.DeepClone())) set.Add(name);
            }

            if (set.Count > 0) said.Add($"{string.Join(", ", set.Order(StringComparer.Ordinal))} {word} for {what} {container.Text("name")}");
        }
    }

    private static void Pod(List<string> errors, JsonObject pod, JsonObject limit)
    {
        switch (limit.Text("type"))
        {
            case "Container":
                foreach (var container in pod.Objects("spec", "containers").Concat(pod.Objects("spec", "initContainers")))
                    Limits(errors, limit, "Container", Amounts(container.At("resources", "requests")), Amounts(container.At("resources", "limits")));
                break;
            case "Pod":
                Limits(errors, limit, "Pod", PodResources.Total(pod["spec"] as JsonObject), PodResources.Total(pod["spec"] as JsonObject, "limits"));
                break;
        }
    }

    private static void Claim(List<string> errors, JsonObject claim, JsonObject limit)
    {
        if (limit.Text("type") != "PersistentVolumeClaim") return;
        var requests = Amounts(claim.At("spec", "resources", "requests"));
        foreach (var (name, least) in Amounts(limit["min"])) Minimum(errors, "PersistentVolumeClaim", name, least, requests, []);
        foreach (var (name, most) in Amounts(limit["max"]))
        {
            var rule = $"maximum {name} usage per PersistentVolumeClaim is {most}";
            if (!requests.TryGetValue(name, out var asked)) errors.Add(rule + ".  No request is specified");
            else if (asked > most) errors.Add($"{rule}, but request is {asked}");
        }
    }

    private static void Limits(List<string> errors, JsonObject limit, string type, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits)
    {
        foreach (var (name, least) in Amounts(limit["min"])) Minimum(errors, type, name, least, requests, limits);
        foreach (var (name, most) in Amounts(limit["max"]))
        {
            var rule = $"maximum {name} usage per {type} is {most}";
            if (!limits.TryGetValue(name, out var allowed)) errors.Add(rule + ".  No limit is specified");
            else if (allowed > most) errors.Add($"{rule}, but limit is {allowed}");
            else if (requests.TryGetValue(name, out var asked) && asked > most) errors.Add($"{rule}, but request is {asked}");
        }

        foreach (var (name, ratio) in Amounts(limit["maxLimitRequestRatio"]))
        {
            var rule = $"{name} max limit to request ratio per {type} is {ratio}";
            if (!requests.TryGetValue(name, out var asked) || asked.IsZero) errors.Add(rule + ", but no request is specified or request is 0");
            else if (!limits.TryGetValue(name, out var allowed) || allowed.IsZero) errors.Add(rule + ", but no limit is specified or limit is 0");
            else if (allowed.ToDouble() / asked.ToDouble() is var have && have > ratio.ToDouble())
                errors.Add($"{rule}, but provided ratio is {have.ToString("F6", CultureInfo.InvariantCulture)}");
        }
    }

    private static void Minimum(List<string> errors, string type, string name, Quantity least, Dictionary<string, Quantity> requests, Dictionary<string, Quantity> limits)
    {
        var rule = $"minimum {name} usage per {type} is {least}";
        if (!requests.TryGetValue(name, out var asked)) errors.Add(rule + ".  No request is specified");
        else if (asked < least) errors.Add($"{rule}, but request is {asked}");
        else if (limits.TryGetValue(name, out var allowed) && allowed < least) errors.Add($"{rule}, but limit is {allowed}");
    }

    private static Dictionary<string, Quantity> Amounts(JsonNode? list)
    {
        var amounts = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var (name, node) in list as JsonObject ?? [])
        {
            if (Quantity.TryParse(node?.ToString(), out var amount)) amounts[name] = amount;
        }

        return amounts;
    }
}
