using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Registry.Kinds.Pods;

namespace Mesh.Gateway.Registry.Kinds.Warnings;

/// <summary>Warnings about what a pod or the template of one asks for: valid, but old, without effect, or not what was meant.</summary>
internal static class PodWarnings
{
    private const string SeccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
    private const string SeccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
    private const string NoSelector = "a null labelSelector results in matching no pod";
    private static readonly string[] Bytes = ["memory", "ephemeral-storage"];

    private static readonly (string Key, string Message)[] OldAnnotations =
    [
        ("scheduler.alpha.kubernetes.io/critical-pod", "non-functional in v1.16+; use the \"priorityClassName\" field instead"),
        ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
        ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ];

    private static readonly (string Source, string Message)[] OldVolumes =
    [
        ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"), ("gitRepo", "deprecated in v1.11"),
        ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"), ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
        ("storageos", "deprecated in v1.22, non-functional in v1.25+"), ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"), ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];

    /// <summary>A new pod; changes of pods are made by machines and not warned about.</summary>
    public static IEnumerable<string> Pod(JsonObject pod, JsonObject? old) =>
        old is null ? WorkloadWarnings.Name(pod, "the Pod's hostname").Concat(Of(FieldPath.Root, pod)) : [];

    /// <summary>A template.</summary>
    public static IEnumerable<string> Template(FieldPath path, JsonObject? template) => template is null ? [] : Of(path, template);

    private static IEnumerable<string> Of(FieldPath root, JsonObject owner)
    {
        var (path, spec) = (root.Child("spec"), owner.Obj("spec") ?? []);
        return Placement(path, spec)
            .Concat(OldAnnotations.Where(a => Annotated(owner, a.Key)).Select(a => $"{root.Child("metadata", "annotations").Key(a.Key)}: {a.Message}"))
            .Concat(spec.Items("volumes").SelectMany(v => Volume(path.Child("volumes").Index(v.Index), v.Item)))
            .Concat(VolumePaths.Overlaps(spec))
            .Concat(Doubled(path, spec, "hostAliases", "ip"))
            .Concat(Doubled(path, spec, "imagePullSecrets", "name"))
            .Concat(spec.Items("imagePullSecrets").Where(static s => s.Item.Str("name").Length == 0)
                .Select(s => $"{path.Child("imagePullSecrets").Index(s.Index).Child("name")}: invalid empty name \"\""))
            .Concat(Fractions.Of(path.Child("overhead"), spec.Obj("overhead"), Bytes))
            .Concat(Profiles(root, owner, spec))
            .Concat(Containers(path, spec).SelectMany(static c => Container(c.Path, c.Item)))
            .Concat(Ports(path, spec))
            .Concat(spec.Num("terminationGracePeriodSeconds") < 0
                ? [$"{path.Child("terminationGracePeriodSeconds")}: must be >= 0; negative values are invalid and will be treated as 1"] : [])
            .Concat(Affinity(path.Child("affinity"), spec.Obj("affinity")));
    }

    private static IEnumerable<string> Placement(FieldPath path, JsonObject spec)
    {
        var node = spec.Obj("affinity", "nodeAffinity");
        var affinity = path.Child("affinity", "nodeAffinity");
        const string required = "requiredDuringSchedulingIgnoredDuringExecution", preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        return NodeLabels.InMap(path.Child("nodeSelector"), spec, "nodeSelector", static (at, key) => at.Key(key))
            .Concat(NodeLabels.InTerms(affinity.Child(required), node.Obj(required)))
            .Concat(node.Items(preferred).SelectMany(p => NodeLabels.InExpressions(affinity.Child(preferred).Index(p.Index).Child("preference"), p.Item.Obj("preference"))))
            .Concat(spec.Items("topologySpreadConstraints").SelectMany(t => Spread(path.Child("topologySpreadConstraints").Index(t.Index), t.Item)));
    }

    private static IEnumerable<string> Spread(FieldPath path, JsonObject constraint)
    {
        foreach (var warning in NodeLabels.Named(path.Child("topologyKey"), constraint.Str("topologyKey")))
            yield return warning;
        if (!constraint.Has("labelSelector"))
            yield return $"{path.Child("labelSelector")}: {NoSelector}";
    }

    private static IEnumerable<string> Volume(FieldPath path, JsonObject volume)
    {
        foreach (var (source, message) in OldVolumes)
        {
            // The path names Kubernetes' own field, whose case differs for this one.
            if (volume.Has(source))
                yield return $"{path.Child(source == "storageos" ? "storageOS" : source)}: {message}";
        }

        var claim = volume.Obj("ephemeral", "volumeClaimTemplate");
        foreach (var warning in StorageWarnings.ClaimSpec(path.Child("ephemeral", "volumeClaimTemplate").Child("spec"), claim.Obj("spec")))
            yield return warning;
    }

    private static IEnumerable<string> Doubled(FieldPath path, JsonObject spec, string list, string key)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return spec.Items(list).Where(i => !seen.Add(i.Item.Str(key)))
            .Select(i => $"{path.Child(list).Index(i.Index).Child(key)}: duplicate {key} {GoText.Quote(i.Item.Str(key))}").ToList();
    }

    // Annotations that came before the fields.
    private static IEnumerable<string> Profiles(FieldPath root, JsonObject owner, JsonObject spec)
    {
        const string useSeccomp = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
        var path = root.Child("metadata", "annotations");
        if (!spec.Obj("securityContext").Has("seccompProfile") && Annotated(owner, SeccompOfPod))
            yield return $"{path.Key(SeccompOfPod)}: {useSeccomp}";
        foreach (var (_, container) in Containers(root.Child("spec"), spec))
        {
            var (context, name) = (container.Obj("securityContext"), container.Str("name"));
            if (!context.Has("seccompProfile") && Annotated(owner, SeccompOfContainer + name))
                yield return $"{path.Key(SeccompOfContainer + name)}: {useSeccomp}";
            // A pod's own are told where they become fields.
            if (root != FieldPath.Root && !context.Has("appArmorProfile") && !spec.Obj("securityContext").Has("appArmorProfile") && Annotated(owner, ProfileAnnotations.AppArmor + name))
                yield return $"{path.Key(ProfileAnnotations.AppArmor + name)}: deprecated since v1.30; use the \"appArmorProfile\" field instead";
        }
    }

    private static IEnumerable<string> Container(FieldPath path, JsonObject container)
    {
        var resources = path.Child("resources");
        foreach (var name in Bytes)
        {
            foreach (var kind in new[] { "limits", "requests" })
            {
                foreach (var warning in Fractions.Of(resources.Child(kind), container.Obj("resources", kind), name))
                    yield return warning;
            }
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, variable) in container.Items("env"))
        {
            var (name, value) = (variable.Str("name"), variable.Str("value"));
            var own = $"$({name})";
            // A later value may build on an earlier one: X=a, X=$(X)b.
            if (!seen.Add(name) && (variable.Has("valueFrom") || value == own || !value.Contains(own, StringComparison.Ordinal)))
                yield return $"{path.Child("env").Index(i)}: hides previous definition of {GoText.Quote(name)}, which may be dropped when using apply";
        }
    }

    private static IEnumerable<string> Ports(FieldPath path, JsonObject spec)
    {
        var seen = new List<(FieldPath Path, JsonObject Port)>();
        foreach (var (at, container) in Containers(path, spec))
        {
            foreach (var (i, port) in container.Items("ports"))
            {
                var here = at.Child("ports").Index(i);
                var (ip, number) = (port.Str("hostIP"), port.Num("hostPort") ?? 0);
                if (ip.Length > 0 && number == 0)
                {
                    yield return $"{here}: hostIP set without hostPort: {{Name:{port.Str("name")} HostPort:0 ContainerPort:{port.Num("containerPort") ?? 0} "
                        + $"Protocol:{port.Str("protocol")} HostIP:{ip}}}";
                }

                foreach (var (other, known) in seen.Where(s => s.Port.Num("containerPort") == port.Num("containerPort") && s.Port.Str("protocol") == port.Str("protocol")))
                {
                    var (knownIp, knownNumber) = (known.Str("hostIP"), known.Num("hostPort") ?? 0);
                    if (ip == knownIp && number == knownNumber)
                        yield return $"{here}: duplicate port definition with {other}";
                    else if (number == 0 || knownNumber == 0)
                        yield return $"{here}: overlapping port definition with {other}";
                    else if (number == knownNumber && (ip.Length == 0) != (knownIp.Length == 0))
                        yield return $"{here}: dangerously ambiguous port definition with {other}";
                }

                seen.Add((here, port));
            }
        }
    }

    private static IEnumerable<string> Affinity(FieldPath path, JsonObject? affinity) =>
        from side in new[] { "podAffinity", "podAntiAffinity" }
        from kind in new[] { (Name: "requiredDuringSchedulingIgnoredDuringExecution", Weighted: false), (Name: "preferredDuringSchedulingIgnoredDuringExecution", Weighted: true) }
        from term in affinity.Obj(side).Items(kind.Name)
        where !(kind.Weighted ? term.Item.Obj("podAffinityTerm") : term.Item).Has("labelSelector")
        let at = path.Child(side).Child(kind.Name).Index(term.Index)
        select $"{(kind.Weighted ? at.Child("podAffinityTerm") : at).Child("labelSelector")}: {NoSelector}";

    private static IEnumerable<(FieldPath Path, JsonObject Item)> Containers(FieldPath path, JsonObject spec) =>
        from list in new[] { "initContainers", "containers", "ephemeralContainers" }
        from container in spec.Items(list)
        select (path.Child(list).Index(container.Index), container.Item);

    private static bool Annotated(JsonObject owner, string key) => owner.Obj("metadata", "annotations")?.ContainsKey(key) == true;
}
