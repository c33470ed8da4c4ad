using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.Controllers.Framework;

namespace Mesh.Controllers.Workloads;

/// <summary>Makes and deletes the pods of an owner, and says so in events.</summary>
internal sealed class PodMaker(IKubeClient client, IEventRecorder recorder)
{
    /// <summary>A pod of the template, controlled by the owner; without a name yet.</summary>
    internal static Pod FromTemplate(IKubeObject owner, PodTemplateSpec? template) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = owner.Metadata.Namespace,
            GenerateName = Prefix(owner.Metadata.Name ?? ""),
            Labels = template?.Metadata?.Labels is { } labels ? new(labels) : null,
            Annotations = template?.Metadata?.Annotations is { } annotations ? new(annotations) : null,
            Finalizers = template?.Metadata?.Finalizers is { } finalizers ? [.. finalizers] : null,
            OwnerReferences = [Owners.ControllerReference(owner)],
        },
        Spec = template?.Spec?.Clone() ?? new PodSpec(),
    };

    internal async Task CreateAsync(IKubeObject owner, Pod pod, CancellationToken ct)
    {
        try
        {
            var made = await client.CreateAsync(pod, ct).ConfigureAwait(false);
            recorder.Normal(owner, "SuccessfulCreate", "Created pod: " + made.Metadata.Name);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // In a namespace that is going away every creation fails; that is no news to anyone.
            if (!IsTerminatingNamespace(e)) recorder.Warning(owner, "FailedCreate", "Error creating: " + e.Message);
            throw;
        }
    }

    internal async Task DeleteAsync(IKubeObject owner, Pod pod, CancellationToken ct)
    {
        try
        {
            await client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name!, ct: ct).ConfigureAwait(false);
            recorder.Normal(owner, "SuccessfulDelete", "Deleted pod: " + pod.Metadata.Name);
        }
        catch (ApiException e) when (!e.IsNotFound)
        {
            recorder.Warning(owner, "FailedDelete", "Error deleting: " + e.Message);
            throw;
        }
    }

    internal static bool IsTerminatingNamespace(Exception e) =>
        e is ApiException { IsForbidden: true } api && api.Status.Details?.Causes?.Exists(c => c.Reason == "NamespaceTerminating") == true;

    /// <summary>The server appends five characters; a prefix that leaves no room for them would be refused.</summary>
    private static string Prefix(string name) => name.Length < 248 ? name + "-" : name;
}
