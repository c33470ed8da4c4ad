using System.Text.Json.Nodes;
using Mesh.Gateway.Storage;
using Mesh.Security;
using Mesh.Security.Rbac;

namespace Mesh.Gateway.Authorization;

/// <summary>
/// Lets a node reach what its own pods need and nothing of others': their secrets, config maps, claims, volumes and token requests;
/// its own node, lease and CSI node; the pods bound to it. Everything else of the role system:node is granted as it stands.
/// </summary>
internal sealed class NodeAuthorizer(IObjectReader objects, RbacAuthorizer rbac) : IAuthorizer
{
    private static readonly AuthorizationResult NoOpinion = new(AuthorizationDecision.NoOpinion);
    private static readonly AuthorizationResult Allowed = new(AuthorizationDecision.Allow);

    /// <inheritdoc/>
    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken ct)
    {
        if (UserNames.NodeOf(attributes.User) is not { } node || !attributes.IsResourceRequest) return NoOpinion;
        if (await WhyNotAsync(node, attributes, ct) is { } why) return new AuthorizationResult(AuthorizationDecision.NoOpinion, why);
        var policy = await rbac.PolicyAsync(ct);
        var request = RbacJson.ToRequest(attributes);
        foreach (var rule in policy.RulesOf("ClusterRole", "system:node", null) ?? [])
        {
            if (rule.Allows(request)) return Allowed;
        }

        return NoOpinion;
    }

    private async ValueTask<string?> WhyNotAsync(string node, AuthorizationAttributes a, CancellationToken ct) => (a.Group, a.Resource, a.Subresource) switch
    {
        ("", "secrets" or "configmaps" or "persistentvolumeclaims", _) => await RelatedAsync(node, a, p => References(p, a.Resource, a.Name), ct),
        ("", "serviceaccounts", "token") => await RelatedAsync(node, a, p => p.Text("spec", "serviceAccountName") == a.Name, ct),
        ("", "persistentvolumes", "") => await VolumeAsync(node, a, ct),
        ("", "pods", "") when a.Verb == "get" => await PodAsync(node, a, ct),
        ("", "pods", "") when a.Verb is "list" or "watch" => SelectsNode(a.FieldSelector, "spec.nodeName", node) ? null : $"can only list/watch pods with spec.nodeName field selector",
        ("", "nodes", "") when a.Verb == "get" => a.Name == node ? null : $"node '{node}' cannot read '{a.Name}', only its own Node object",
        ("storage.k8s.io", "volumeattachments", _) => await AttachmentAsync(node, a, ct),
        ("coordination.k8s.io", "leases", _) when a.Namespace != "kube-node-lease" => $"can only access leases in the \"kube-node-lease\" system namespace",
        ("coordination.k8s.io", "leases", _) when a.Verb != "create" && a.Name != node => $"can only access node lease with the same name as the requesting node",
        ("storage.k8s.io", "csinodes", _) when a.Verb != "create" && a.Name != node => $"can only access CSINode with the same name as the requesting node",
        _ => null,
    };

    private static bool SelectsNode(string fieldSelector, string field, string node) =>
        fieldSelector.Split(',').Any(part => part == $"{field}={node}" || part == $"{field}=={node}");

    private async ValueTask<string?> RelatedAsync(string node, AuthorizationAttributes a, Func<JsonObject, bool> refers, CancellationToken ct)
    {
        if (a.Name.Length == 0) return "No Object name found";
        foreach (var pod in await objects.ListAsync(RbacResources.Pods, a.Namespace, ct))
        {
            if (pod.Text("spec", "nodeName") == node && refers(pod)) return null;
        }

        return $"no relationship found between node '{node}' and this object";
    }

    // A pod that is gone answers 404 by itself; refusing it would hide that from a node that is cleaning up.
    private async ValueTask<string?> PodAsync(string node, AuthorizationAttributes a, CancellationToken ct)
    {
        var pod = await objects.GetAsync(RbacResources.Pods, a.Namespace, a.Name, ct);
        return pod is null || pod.Text("spec", "nodeName") == node ? null : $"no relationship found between node '{node}' and this object";
    }

    private async ValueTask<string?> VolumeAsync(string node, AuthorizationAttributes a, CancellationToken ct)
    {
        var volume = await objects.GetAsync(RbacResources.PersistentVolumes, null, a.Name, ct);
        var ns = volume.Text("spec", "claimRef", "namespace");
        var claim = volume.Text("spec", "claimRef", "name");
        return claim.Length == 0
            ? $"no relationship found between node '{node}' and this object"
            : await RelatedAsync(node, a with { Namespace = ns }, p => References(p, "persistentvolumeclaims", claim), ct);
    }

    private async ValueTask<string?> AttachmentAsync(string node, AuthorizationAttributes a, CancellationToken ct)
    {
        var attachment = await objects.GetAsync(RbacResources.VolumeAttachments, null, a.Name, ct);
        return attachment.Text("spec", "nodeName") == node ? null : $"no relationship found between node '{node}' and this object";
    }

    /// <summary>Whether a pod refers to a secret, config map or claim by name: in volumes, environment, pull secrets.</summary>
    internal static bool References(JsonObject pod, string resource, string name)
    {
        var spec = pod.At("spec");
        if (resource == "persistentvolumeclaims")
        {
            return spec.Objects("volumes").Any(v => v.Text("persistentVolumeClaim", "claimName") == name
                || (v.At("ephemeral") is not null && $"{pod.Name()}-{v.Text("name")}" == name));
        }

        var secret = resource == "secrets";
        if (secret && spec.Objects("imagePullSecrets").Any(s => s.Text("name") == name)) return true;
        foreach (var volume in spec.Objects("volumes"))
        {
            if (VolumeRefers(volume, secret, name)) return true;
        }

        return spec.Objects("containers").Concat(spec.Objects("initContainers")).Concat(spec.Objects("ephemeralContainers"))
            .Any(c => EnvironmentRefers(c, secret, name));
    }

    private static bool VolumeRefers(JsonObject volume, bool secret, string name)
    {
        if (secret ? volume.Text("secret", "secretName") == name : volume.Text("configMap", "name") == name) return true;
        if (volume.Objects("projected", "sources").Any(s => s.Text(secret ? "secret" : "configMap", "name") == name)) return true;
        if (!secret) return false;
        foreach (var (_, source) in volume)
        {
            // CSI, flex and the network volumes name their secret in one of these.
            if (source.Text("secretRef", "name") == name || source.Text("nodePublishSecretRef", "name") == name) return true;
        }

        return false;
    }

    private static bool EnvironmentRefers(JsonObject container, bool secret, string name) =>
        container.Objects("env").Any(e => e.Text("valueFrom", secret ? "secretKeyRef" : "configMapKeyRef", "name") == name)
        || container.Objects("envFrom").Any(e => e.Text(secret ? "secretRef" : "configMapRef", "name") == name);
}
