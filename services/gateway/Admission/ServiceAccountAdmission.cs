using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Gateway.Authorization;
using Mesh.Gateway.Storage;

namespace Mesh.Gateway.Admission;

/// <summary>
/// Gives every pod a service account, its pull secrets, and the volume by which it reaches the API: a token that expires, the
/// cluster's CA, and its namespace.
/// </summary>
internal sealed class ServiceAccountAdmission(IObjectReader objects) : AdmissionPlugin("ServiceAccount")
{
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const string Mirror = "kubernetes.io/config.mirror";
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <inheritdoc/>
    public override bool Handles(AdmissionOperation operation, ApiResource resource, string subresource) =>
        operation == AdmissionOperation.Create && IsPod(resource) && subresource.Length == 0;

    /// <inheritdoc/>
    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } pod || pod["spec"] is not JsonObject spec) return;
        if (pod.At("metadata", "annotations", Mirror) is not null)
        {
            CheckMirror(attributes, spec);
            return;
        }

        var name = spec.Text("serviceAccountName") is { Length: > 0 } given ? given : spec.Text("serviceAccount") is { Length: > 0 } old ? old : "default";
        spec["serviceAccountName"] = name;
        spec["serviceAccount"] = name;
        var account = await objects.GetAsync(RbacResources.ServiceAccounts, attributes.Namespace, name, ct)
            ?? await objects.GetFreshAsync(RbacResources.ServiceAccounts, attributes.Namespace, name, ct)
            ?? throw Forbidden(attributes, $"error looking up service account {attributes.Namespace}/{name}: serviceaccount {GoText.Quote(name)} not found");

        if (spec.Flag("automountServiceAccountToken") ?? account.Flag("automountServiceAccountToken") ?? true) Mount(spec);
        if (!spec.Objects("imagePullSecrets").Any() && account.Objects("imagePullSecrets").Any())
        {
            spec["imagePullSecrets"] = account["imagePullSecrets"]!.DeepClone();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken ct)
    {
        if (attributes.Object is not { } pod || pod.At("metadata", "annotations", Mirror) is not null) return;
        var name = pod.Text("spec", "serviceAccountName");
        if (name.Length == 0) throw Forbidden(attributes, "no service account specified for pod");

        // Only an account that asks for it limits the secrets of its pods.
        var account = await objects.GetAsync(RbacResources.ServiceAccounts, attributes.Namespace, name, ct);
        if (account.Text("metadata", "annotations", "kubernetes.io/enforce-mountable-secrets") is not ("1" or "t" or "T" or "TRUE" or "true" or "True")) return;
        var mountable = account.Objects("secrets").Select(s => s.Text("name")).ToHashSet();
        foreach (var secret in pod.Objects("spec", "volumes").Select(v => v.Text("secret", "secretName")).Where(s => s.Length > 0))
        {
            if (!mountable.Contains(secret))
            {
                throw Forbidden(attributes, $"volume with secret.secretName={GoText.Quote(secret)} is not allowed because service account {name} does not reference that secret");
            }
        }

        foreach (var (list, what) in new[] { ("initContainers", "init container"), ("containers", "container") })
        {
            foreach (var container in pod.Objects("spec", list))
            {
                foreach (var variable in container.Objects("env").Where(e => e.At("valueFrom", "secretKeyRef") is not null))
                {
                    var secret = variable.Text("valueFrom", "secretKeyRef", "name");
                    if (!mountable.Contains(secret))
                    {
                        throw Forbidden(
                            attributes,
                            $"{what} {container.Text("name")} with envVar {variable.Text("name")} referencing secret.secretName={GoText.Quote(secret)} is not allowed because service account {name} does not reference that secret");
                    }
                }
            }
        }

        var pulls = account.Objects("imagePullSecrets").Select(s => s.Text("name")).ToHashSet();
        foreach (var (i, secret) in pod.Objects("spec", "imagePullSecrets").Select(s => s.Text("name")).Index())
        {
            if (!pulls.Contains(secret))
            {
                throw Forbidden(
                    attributes, $"imagePullSecrets[{i}].name={GoText.Quote(secret)} is not allowed because service account {name} does not reference that imagePullSecret");
            }
        }
    }

    private static void CheckMirror(AdmissionAttributes attributes, JsonObject spec)
    {
        if (spec.Text("serviceAccountName").Length > 0) throw Forbidden(attributes, "a mirror pod may not reference service accounts");
        if (spec.Objects("volumes").Any(v => v.At("secret") is not null)) throw Forbidden(attributes, "a mirror pod may not reference secrets");
        if (spec.Objects("volumes").Any(v => v.Objects("projected", "sources").Any(s => s.At("serviceAccountToken") is not null)))
        {
            throw Forbidden(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
        }
    }

    private static void Mount(JsonObject spec)
    {
        string? volume = null;
        foreach (var list in new[] { "initContainers", "containers" })
        {
            foreach (var container in spec.Objects(list))
            {
                if (container.Objects("volumeMounts").Any(m => m.Text("mountPath") == MountPath)) continue;
                volume ??= AddVolume(spec);
                if (container["volumeMounts"] is not JsonArray mounts) container["volumeMounts"] = mounts = [];
                mounts.Add(new JsonObject { ["mountPath"] = MountPath, ["name"] = volume, ["readOnly"] = true });
            }
        }
    }

    private static string AddVolume(JsonObject spec)
    {
        // A template that was read back from a pod brings the volume along.
        var present = spec.Objects("volumes").FirstOrDefault(v => v.Text("name").StartsWith("kube-api-access-", StringComparison.Ordinal));
        if (present is not null) return present.Text("name");
        var name = "kube-api-access-" + RandomNumberGenerator.GetString(Alphabet, 5);
        if (spec["volumes"] is not JsonArray volumes) spec["volumes"] = volumes = [];
        volumes.Add(new JsonObject
        {
            ["name"] = name,
            ["projected"] = new JsonObject
            {
                ["defaultMode"] = 420,
                ["sources"] = new JsonArray(
                    new JsonObject
                    {
                        ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = Security.Tokens.ServiceAccountTokenIssuer.PodSeconds, ["path"] = "token" },
                    },
                    new JsonObject
                    {
                        ["configMap"] = new JsonObject
                        {
                            ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }),
                            ["name"] = "kube-root-ca.crt",
                        },
                    },
                    new JsonObject
                    {
                        ["downwardAPI"] = new JsonObject
                        {
                            ["items"] = new JsonArray(new JsonObject
                            {
                                ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                                ["path"] = "namespace",
                            }),
                        },
                    }),
            },
        });
        return name;
    }
}
