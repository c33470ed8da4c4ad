using System.Text.Json.Nodes;
using Mesh.Api;

namespace Mesh.Gateway.Registry.Kinds.Pods;

/// <summary>Rules of containers: what all have in common, then what ordinary, init and ephemeral ones have on their own.</summary>
internal static class ContainerValidation
{
    private const string NotInInit = "may not be set for init containers without restartPolicy=Always";
    private const string NotInEphemeral = "cannot be set for an Ephemeral Container";
    private const int MaxRestartRules = 20;
    private static readonly string[] PullPolicies = ["Always", "IfNotPresent", "Never"];
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];
    private static readonly string[] EphemeralForbidden = ["ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

    public static void All(List<FieldError> errors, FieldPath path, PodScope scope)
    {
        var spec = scope.Spec;
        var names = new HashSet<string>(StringComparer.Ordinal);
        Regular(errors, path.Child("containers"), scope, names);
        Init(errors, path.Child("initContainers"), scope, names);
        var others = new HashSet<string>(names, StringComparer.Ordinal);
        foreach (var (i, container) in spec.Items("ephemeralContainers"))
            Ephemeral(errors, path.Child("ephemeralContainers").Index(i), container, scope, names, others);
    }

    private static void Regular(List<FieldError> errors, FieldPath path, PodScope scope, HashSet<string> names)
    {
        if ((scope.Spec.Arr("containers")?.Count ?? 0) == 0)
        {
            errors.Add(FieldError.Required(path));
            return;
        }

        foreach (var (i, container) in scope.Spec.Items("containers"))
        {
            var at = path.Index(i);
            Common(errors, at, container, scope);
            if (!names.Add(container.Str("name")))
                errors.Add(FieldError.Duplicate(at.Child("name"), container.Str("name")));
            Services(errors, at, container, scope);
            RestartRules(errors, at, container, "Always", "Never", "OnFailure");
        }

        HostPortConflicts(errors, path, scope.Spec.Items("containers"));
    }

    private static void Init(List<FieldError> errors, FieldPath path, PodScope scope, HashSet<string> names)
    {
        foreach (var (i, container) in scope.Spec.Items("initContainers"))
        {
            var at = path.Index(i);
            Common(errors, at, container, scope);
            RestartRules(errors, at, container, "Always", "Never", "OnFailure");
            if (container.Str("name").Length > 0 && !names.Add(container.Str("name")))
                errors.Add(FieldError.Duplicate(at.Child("name"), container.Str("name")));
            HostPortConflicts(errors, path, [(i, container)]); // they run one by one
            if (container.Str("restartPolicy") == "Always")
            {
                Services(errors, at, container, scope);
                continue;
            }

            foreach (var field in new[] { "lifecycle", "livenessProbe", "readinessProbe", "startupProbe" })
            {
                if (container.Has(field))
                    errors.Add(FieldError.Forbidden(at.Child(field), NotInInit));
            }
        }
    }

    private static void Ephemeral(List<FieldError> errors, FieldPath at, JsonObject container, PodScope scope, HashSet<string> names, HashSet<string> others)
    {
        Common(errors, at, container, scope);
        Whitespace(errors, at, container);
        if (!names.Add(container.Str("name")))
            errors.Add(FieldError.Duplicate(at.Child("name"), container.Str("name")));
        if (container.Str("targetContainerName") is { Length: > 0 } target && !others.Contains(target))
            errors.Add(FieldError.NotFound(at.Child("targetContainerName"), target));
        foreach (var field in EphemeralForbidden)
        {
            if (container[field] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
                errors.Add(FieldError.Forbidden(at.Child(field), NotInEphemeral));
        }

        foreach (var (i, mount) in container.Items("volumeMounts"))
        {
            foreach (var field in new[] { "subPath", "subPathExpr" })
            {
                if (mount.Str(field).Length > 0)
                    errors.Add(FieldError.Forbidden(at.Child("volumeMounts").Index(i).Child(field), NotInEphemeral));
            }
        }
    }

    /// <summary>A pod's image names stand without blanks around them (templates were never checked for it).</summary>
    public static void Whitespace(List<FieldError> errors, FieldPath at, JsonObject container)
    {
        var image = container.Str("image");
        if (image.Length != image.Trim().Length)
            errors.Add(FieldError.Invalid(at.Child("image"), image, "must not have leading or trailing whitespace"));
    }

    private static void Common(List<FieldError> errors, FieldPath at, JsonObject container, PodScope scope)
    {
        var name = container.Str("name");
        if (name.Length == 0)
            errors.Add(FieldError.Required(at.Child("name")));
        else
            errors.Rules(at.Child("name"), name, Names.Dns1123Label(name));
        if (container.Str("image").Length == 0)
            errors.Add(FieldError.Required(at.Child("image")));
        errors.OneOf(at.Child("terminationMessagePolicy"), container.Str("terminationMessagePolicy"), "File", "FallbackToLogsOnError");
        Ports(errors, at.Child("ports"), container);
        EnvValidation.Env(errors, at.Child("env"), container, scope);
        EnvValidation.EnvFrom(errors, at.Child("envFrom"), container);
        MountValidation.Mounts(errors, at.Child("volumeMounts"), container, scope.Volumes);
        MountValidation.Devices(errors, at.Child("volumeDevices"), container, scope.Volumes);
        errors.OneOf(at.Child("imagePullPolicy"), container.Str("imagePullPolicy"), PullPolicies);
        ResourceValidation.Requirements(errors, at.Child("resources"), container.Obj("resources"), scope.ClaimNames);
        ResizePolicy(errors, at.Child("resizePolicy"), container, scope);
        SecurityContextValidation.Container(errors, at.Child("securityContext"), container.Obj("securityContext"), scope.HostUsers);
    }

    // What a container that stays offers to the node: hooks and probes.
    private static void Services(List<FieldError> errors, FieldPath at, JsonObject container, PodScope scope)
    {
        if (container.Obj("lifecycle") is { } lifecycle)
        {
            ProbeValidation.Hook(errors, at.Child("lifecycle", "postStart"), lifecycle.Obj("postStart"), scope.GracePeriod);
            ProbeValidation.Hook(errors, at.Child("lifecycle", "preStop"), lifecycle.Obj("preStop"), scope.GracePeriod);
            if (lifecycle.Str("stopSignal").Length > 0 && scope.Spec.Obj("os") is null)
                errors.Add(FieldError.Forbidden(at.Child("lifecycle", "stopSignal"), "may not be set for containers with empty `spec.os.name`"));
        }

        ProbeValidation.Probe(errors, at.Child("livenessProbe"), container.Obj("livenessProbe"), readiness: false);
        ProbeValidation.Probe(errors, at.Child("readinessProbe"), container.Obj("readinessProbe"), readiness: true);
        ProbeValidation.Probe(errors, at.Child("startupProbe"), container.Obj("startupProbe"), readiness: false);
    }

    // KEP-5307: rules by exit code belong to a policy of the container's own.
    private static void RestartRules(List<FieldError> errors, FieldPath at, JsonObject container, params string[] policies)
    {
        errors.OptionalOneOf(at.Child("restartPolicy"), container.Str("restartPolicy"), policies);
        var rules = container.Items("restartPolicyRules").ToList();
        if (rules.Count == 0)
            return;
        if (!container.Has("restartPolicy"))
            errors.Add(FieldError.Required(at.Child("restartPolicy"), "must specify restartPolicy when restart rules are used"));
        if (rules.Count > MaxRestartRules)
            errors.Add(FieldError.TooMany(at.Child("restartPolicyRules"), rules.Count, MaxRestartRules));
        foreach (var (i, rule) in rules)
        {
            var path = at.Child("restartPolicyRules").Index(i);
            errors.OneOf(path.Child("action"), rule.Str("action"), "Restart", "RestartAllContainers");
            if (rule.Obj("exitCodes") is not { } codes)
                errors.Add(FieldError.Required(path.Child("exitCodes"), "must be specified"));
            else
                errors.OneOf(path.Child("exitCodes", "operator"), codes.Str("operator"), "In", "NotIn");
        }
    }

    private static void Ports(List<FieldError> errors, FieldPath path, JsonObject container)
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
            if (port.Num("hostPort") is { } hostPort and not 0)
                errors.Rules(at.Child("hostPort"), hostPort, Names.PortNumber(hostPort));
            errors.OneOf(at.Child("protocol"), port.Str("protocol"), Protocols);
        }
    }

    private static void HostPortConflicts(List<FieldError> errors, FieldPath path, IEnumerable<(int Index, JsonObject Item)> containers)
    {
        HashSet<string>? taken = null;
        foreach (var (c, container) in containers)
        {
            foreach (var (i, port) in container.Items("ports"))
            {
                if (port.Num("hostPort") is not ({ } number and not 0))
                    continue;
                var key = $"{port.Str("protocol")}/{port.Str("hostIP")}/{number}";
                if (!(taken ??= new(StringComparer.Ordinal)).Add(key))
                    errors.Add(FieldError.Duplicate(path.Index(c).Child("ports").Index(i).Child("hostPort"), key));
            }
        }
    }

    private static void ResizePolicy(List<FieldError> errors, FieldPath path, JsonObject container, PodScope scope)
    {
        HashSet<string>? seen = null;
        foreach (var (i, policy) in container.Items("resizePolicy"))
        {
            var resource = policy.Str("resourceName");
            if (!(seen ??= new(StringComparer.Ordinal)).Add(resource))
                errors.Add(FieldError.Duplicate(path.Index(i), resource));
            errors.OneOf(path, resource, "cpu", "memory");
            errors.OneOf(path, policy.Str("restartPolicy"), "NotRequired", "RestartContainer");
            if (scope.RestartPolicy == "Never" && policy.Str("restartPolicy") != "NotRequired")
                errors.Add(FieldError.Invalid(path, policy.Str("restartPolicy"), "must be 'NotRequired' when `restartPolicy` is 'Never'"));
        }
    }
}
