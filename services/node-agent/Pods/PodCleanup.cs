using System.Net;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Pods;

/// <summary>Takes away what a pod leaves: volumes, cgroups, sandboxes, logs, and at last the API object.</summary>
internal sealed class PodCleanup(NodeServices node)
{
    /// <summary>Unmounts and deletes the pod's directory and cgroups.</summary>
    public void Files(string podUid)
    {
        try
        {
            node.Volumes.Remove(podUid);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PodLog.CleanupFailed(node.Log, podUid, e.Message);
        }

        node.Cgroups.Remove(podUid);
        node.Images.Forget(podUid);
    }

    /// <summary>Deletes the API object for good, only if it is still this very pod.</summary>
    public async Task DeleteFromApiAsync(Pod pod, CancellationToken ct)
    {
        var options = new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Mesh.Api.Meta.V1.Preconditions { Uid = pod.Uid() } };
        for (var delay = TimeSpan.FromMilliseconds(200); ; delay = delay * 2 < TimeSpan.FromSeconds(10) ? delay * 2 : TimeSpan.FromSeconds(10))
        {
            try
            {
                await node.Client.DeleteAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name!, options, ct);
                return;
            }
            catch (ApiException e) when (e.Status.Code is (int)HttpStatusCode.NotFound or (int)HttpStatusCode.Conflict)
            {
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                PodLog.CleanupFailed(node.Log, pod.Key(), e.Message);
                await Task.Delay(delay, node.Time, ct);
            }
        }
    }

    /// <summary>Removes containers and sandboxes from the runtime.</summary>
    public async Task RuntimeAsync(PodState observed, CancellationToken ct)
    {
        foreach (var container in observed.Containers)
            await QuietlyAsync(observed.Uid, () => node.Runtime.RemoveContainerAsync(container.Id, ct));
        foreach (var sandbox in observed.Sandboxes)
            await QuietlyAsync(observed.Uid, () => node.Runtime.RemoveSandboxAsync(sandbox.Id, ct));
        // The runtime leaves the pod's cgroup behind when it is the one who made the sandbox's.
        node.Cgroups.Remove(observed.Uid);
    }

    public void Logs(Pod pod)
    {
        var directory = node.Paths.LogDirectory(pod);
        try
        {
            if (!node.Hollow && Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
        }
        catch (IOException e)
        {
            PodLog.CleanupFailed(node.Log, pod.Key(), e.Message);
        }
    }

    private async Task QuietlyAsync(string podUid, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (RuntimeException e)
        {
            PodLog.CleanupFailed(node.Log, podUid, e.Message);
        }
    }
}
