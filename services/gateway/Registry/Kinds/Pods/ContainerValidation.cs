using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of containers: names, images, ports, environment, mounts, probes, resources.</summary>
internal static class ContainerValidation
{
    private static readonly string[] PullPolicies = ["Always", "IfNotPresent", "Never"];
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];
    private static readonly string[] EnvSources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

    public static void All(List<FieldError> errors, FieldPath path, JsonObject spec, IReadOnlyDictionary<string, JsonObject> volumes)
    {
        if ((spec.Arr("containers")?.Count ?? 0) == 0)
            errors.Add(FieldError.Required(path.Child("containers")));

        var names = new HashSet<string>(StringComparer.Ordinal);
        var hostPorts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in new[] { "containers", "initContainers", "ephemeralContainers" })
        {
            foreach (var (i, container) in spec.Items(list))
            {
                var at = path.Child(list).Index(i);
                One(errors, at, container, volumes, spec.Bool("hostNetwork"));
                if (container.Str("name") is { Length: > 0 } name && !names.Add(name))
                    errors.Add(FieldError.Duplicate(at.Child("name"), name));
                if (list == "initContainers")
                    InitOnly(errors, at, container);
                if (list == "ephemeralContainers")
                    EphemeralOnly(errors, at, container, spec);
                else if (list == "containers")
                    HostPortConflicts(errors, at, container, hostPorts);
            }
        }
    }

    private static void One(List<FieldError> errors, FieldPath at, JsonObject container, IReadOnlyDictionary<string, JsonObject> volumes, bool hostNetwork)
    {
        var name = container.Str("name");
        if (name.Length == 0)
            errors.Add(FieldError.Required(at.Child("name")));
        else
            errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));

        var image = container.Str("image");
        if (image.Length == 0)
            errors.Add(FieldError.Required(at.Child("image")));
        else if (image != image.Trim())
            errors.Add(FieldError.Invalid(at.Child("image"), image, "must not have leading or trailing whitespace"));

        errors.OneOf(at.Child("terminationMessagePolicy"), container.Str("terminationMessagePolicy"), "FallbackToLogsOnError", "File");
        errors.OneOf(at.Child("imagePullPolicy"), container.Str("imagePullPolicy"), PullPolicies);
        Ports(errors, at.Child("ports"), container, hostNetwork);
        Env(errors, at.Child("env"), container);
        EnvFrom(errors, at.Child("envFrom"), container);
        Mounts(errors, at, container, volumes);
        foreach (var probe in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
            ProbeValidation.Probe(errors, at.Child(probe), container.Obj(probe), mustSucceedOnce: probe != "readinessProbe");
        ProbeValidation.Handler(errors, at.Child("lifecycle", "postStart"), container.Obj("lifecycle", "postStart"), "exec", "httpGet", "tcpSocket", "sleep");
        ProbeValidation.Handler(errors, at.Child("lifecycle", "preStop"), container.Obj("lifecycle", "preStop"), "exec", "httpGet", "tcpSocket", "sleep");
        ResourceValidation.Requirements(errors, at.Child("resources"), container.Obj("resources"));
        SecurityContextValidation.Container(errors, at.Child("securityContext"), container.Obj("securityContext"));
    }

    private static void InitOnly(List<FieldError> errors, FieldPath at, JsonObject container)
    {
        var policy = container.Str("restartPolicy");
        if (policy.Length > 0 && policy != "Always" && container.Arr("restartPolicyRules") is null)
            errors.OptionalOneOf(at.Child("restartPolicy"), policy, "Always", "Never", "OnFailure");
        if (policy == "Always")
            return;
        foreach (var probe in new[] { "livenessProbe", "readinessProbe", "startupProbe" })
        {
            if (container.Has(probe))
                errors.Add(FieldError.Forbidden(at.Child(probe), "may not be set for init containers without restartPolicy=Always"));
        }

        if (container.Has("lifecycle"))
            errors.Add(FieldError.Forbidden(at.Child("lifecycle"), "may not be set for init containers without restartPolicy=Always"));
    }

    private static void EphemeralOnly(List<FieldError> errors, FieldPath at, JsonObject container, JsonObject spec)
    {
        foreach (var field in new[] { "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle" })
        {
            if (container[field] is JsonObject or JsonArray { Count: > 0 })
                errors.Add(FieldError.Forbidden(at.Child(field), "cannot be set for an Ephemeral Container"));
        }

        var target = container.Str("targetContainerName");
        if (target.Length > 0 && !spec.Items("containers").Concat(spec.Items("initContainers")).Any(c => c.Item.Str("name") == target))
            errors.Add(FieldError.NotFound(at.Child("targetContainerName"), target));
    }

    private static void Ports(List<FieldError> errors, FieldPath path, JsonObject container, bool hostNetwork)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, port) in container.Items("ports"))
        {
            var at = path.Index(i);
            var name = port.Str("name");
            if (name.Length > 0)
            {
                var broken = Names.PortName(name);
                errors.Rules(at.Child("name"), name, broken);
                if (broken.Count == 0 && !names.Add(name))
                    errors.Add(FieldError.Duplicate(at.Child("name"), name));
            }

            var number = port.Num("containerPort") ?? 0;
            if (number == 0)
                errors.Add(FieldError.Required(at.Child("containerPort")));
            else
                errors.Rules(at.Child("containerPort"), number, Names.PortNumber(number));

            var hostPort = port.Num("hostPort") ?? 0;
            if (hostPort != 0)
                errors.Rules(at.Child("hostPort"), hostPort, Names.PortNumber(hostPort));
            if (hostNetwork && hostPort != 0 && hostPort != number)
                errors.Add(FieldError.Invalid(at.Child("hostPort"), hostPort, "must match `containerPort` when `hostNetwork` is true"));
            errors.OneOf(at.Child("protocol"), port.Str("protocol"), Protocols);
        }
    }

    private static void HostPortConflicts(List<FieldError> errors, FieldPath at, JsonObject container, HashSet<string> taken)
    {
        foreach (var (i, port) in container.Items("ports"))
        {
            if (port.Num("hostPort") is not ({ } number and > 0))
                continue;
            var key = $"{port.Str("protocol")}/{port.Str("hostIP")}/{number}";
            if (!taken.Add(key))
                errors.Add(FieldError.Duplicate(at.Child("ports").Index(i).Child("hostPort"), key));
        }
    }

    private static void Env(List<FieldError> errors, FieldPath path, JsonObject container)
    {
        foreach (var (i, env) in container.Items("env"))
        {
            var at = path.Index(i);
            var name = env.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else
                errors.Rules(at.Child("name"), name, Names.EnvVarName(name));
            if (env.Obj("valueFrom") is { } from)
                EnvSource(errors, at.Child("valueFrom"), from, env.Str("value"));
        }
    }

    private static void EnvSource(List<FieldError> errors, FieldPath at, JsonObject from, string value)
    {
        var given = EnvSources.Where(from.Has).ToList();
        if (given.Count == 0)
            errors.Add(FieldError.Invalid(at, string.Empty, "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"));
        else if (value.Length > 0)
            errors.Add(FieldError.Invalid(at, string.Empty, "may not be specified when `value` is not empty"));
        else if (given.Count > 1)
            errors.Add(FieldError.Invalid(at, string.Empty, "may not have more than one field specified at a time"));

        if (from.Obj("fieldRef") is { } field)
            FieldReference(errors, at.Child("fieldRef"), field, EnvFieldPaths);
        foreach (var name in new[] { "configMapKeyRef", "secretKeyRef" })
        {
            if (from.Obj(name) is not { } reference)
                continue;
            if (reference.Str("key").Length == 0)
                errors.Add(FieldError.Required(at.Child(name).Child("key")));
            else
                errors.Rules(at.Child(name).Child("key"), reference.Str("key"), Names.ConfigMapKey(reference.Str("key")));
        }

        if (from.Obj("resourceFieldRef") is { } resource && resource.Str("resource").Length == 0)
            errors.Add(FieldError.Required(at.Child("resourceFieldRef", "resource")));
    }

    private static readonly string[] EnvFieldPaths =
        ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];

    /// <summary>fieldRef: a path of the pod, or one label or annotation by its key.</summary>
    internal static void FieldReference(List<FieldError> errors, FieldPath at, JsonObject field, string[] allowed)
    {
        var path = field.Str("fieldPath");
        if (field.Str("apiVersion").Length == 0)
            errors.Add(FieldError.Required(at.Child("apiVersion")));
        else if (path.Length == 0)
            errors.Add(FieldError.Required(at.Child("fieldPath")));
        else if (path is ['m', .., ']'] && (path.StartsWith("metadata.labels['", StringComparison.Ordinal) || path.StartsWith("metadata.annotations['", StringComparison.Ordinal)))
            return;
        else if (!path.StartsWith("metadata.", StringComparison.Ordinal) && !path.StartsWith("spec.", StringComparison.Ordinal) && !path.StartsWith("status.", StringComparison.Ordinal))
            errors.Add(FieldError.Invalid(at.Child("fieldPath"), path, $"error converting fieldPath: field label not supported: {path}"));
        else if (!allowed.Contains(path))
            errors.Add(FieldError.NotSupported(at.Child("fieldPath"), path, allowed));
    }

    private static void EnvFrom(List<FieldError> errors, FieldPath path, JsonObject container)
    {
        foreach (var (i, from) in container.Items("envFrom"))
        {
            var at = path.Index(i);
            if (from.Str("prefix") is { Length: > 0 } prefix)
                errors.Rules(at.Child("prefix"), prefix, Names.EnvVarName(prefix));
            var sources = new[] { "configMapRef", "secretRef" }.Where(from.Has).ToList();
            if (sources.Count == 0)
                errors.Add(FieldError.Invalid(at, string.Empty, "must specify one of: `configMapRef` or `secretRef`"));
            else if (sources.Count > 1)
                errors.Add(FieldError.Invalid(at, string.Empty, "may not have more than one field specified at a time"));
            else if (from.Obj(sources[0]).Str("name").Length == 0)
                errors.Add(FieldError.Required(at.Child(sources[0]).Child("name")));
        }
    }

    private static void Mounts(List<FieldError> errors, FieldPath container, JsonObject spec, IReadOnlyDictionary<string, JsonObject> volumes)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, mount) in spec.Items("volumeMounts"))
        {
            var at = container.Child("volumeMounts").Index(i);
            var name = mount.Str("name");
            if (name.Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else if (!volumes.ContainsKey(name))
                errors.Add(FieldError.NotFound(at.Child("name"), name));

            var target = mount.Str("mountPath");
            if (target.Length == 0)
                errors.Add(FieldError.Required(at.Child("mountPath")));
            else if (!paths.Add(target))
                errors.Add(FieldError.Invalid(at.Child("mountPath"), target, "must be unique"));
            if (mount.Str("subPath").Length > 0 && mount.Str("subPathExpr").Length > 0)
                errors.Add(FieldError.Invalid(at.Child("subPathExpr"), mount.Str("subPathExpr"), "subPathExpr and subPath are mutually exclusive"));
            VolumeValidation.RelativePath(errors, at.Child("subPath"), mount.Str("subPath"));
            VolumeValidation.RelativePath(errors, at.Child("subPathExpr"), mount.Str("subPathExpr"));
            errors.OptionalOneOf(at.Child("mountPropagation"), mount.Str("mountPropagation"), "Bidirectional", "HostToContainer", "None");
        }

        foreach (var (i, device) in spec.Items("volumeDevices"))
        {
            var at = container.Child("volumeDevices").Index(i);
            if (device.Str("name").Length == 0)
                errors.Add(FieldError.Required(at.Child("name")));
            else if (!volumes.TryGetValue(device.Str("name"), out var volume))
                errors.Add(FieldError.NotFound(at.Child("name"), device.Str("name")));
            else if (!volume.Has("persistentVolumeClaim") && !volume.Has("ephemeral"))
                errors.Add(FieldError.Invalid(at.Child("name"), device.Str("name"), "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
            if (device.Str("devicePath").Length == 0)
                errors.Add(FieldError.Required(at.Child("devicePath")));
        }
    }
}
