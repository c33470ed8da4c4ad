using System.Collections.Concurrent;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Api.Meta.V1;
using Mesh.Client;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Pods.Status;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Components;

/// <summary>
/// Shows the control-plane processes of this machine as mirror pods in kube-system, as kubeadm's static pods are seen
/// (<c>kubectl get pods -n kube-system</c>). The processes are not containers: their supervisor starts them, here they are only asked how
/// they are, and the pod's readiness is the answer. Written only when something changed.
/// </summary>
internal sealed partial class ComponentPods(
    IReadOnlyList<Component> components, string nodeName, Func<IReadOnlyList<string>> addresses, IKubeClient client, StatusManager statuses, TimeProvider time, ILogger log) : IDisposable
{
    private const string Ns = "kube-system";
    private const string Mirror = "kubernetes.io/config.mirror";
    private const string Source = "kubernetes.io/config.source";
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    // Who deletes a pod looks, lists and only then watches for its end (kubectl delete): a pod that is there again before the list is taken for one that never went.
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(1);
    private readonly ComponentProbe probe = new();
    private readonly ConcurrentDictionary<string, Pod> seen = new();
    private readonly ConcurrentDictionary<string, long> wentAt = new();
    private readonly SemaphoreSlim wake = new(0);

    /// <summary>Whether the pod stands for a process: nothing is to be run for it.</summary>
    public static bool IsComponent(Pod? pod) => pod?.Metadata.Annotations?.GetValueOrDefault(Source) == "process";

    /// <summary>A change of a pod of this node.</summary>
    public void OnPod(Pod? old, Pod? now)
    {
        if (!IsComponent(now ?? old))
            return;
        if (now is null)
        {
            seen.TryRemove(old!.Metadata.Name!, out _);
            wentAt[old.Metadata.Name!] = time.GetTimestamp();
        }
        else
        {
            seen[now.Metadata.Name!] = now;
            wentAt.TryRemove(now.Metadata.Name!, out _);
        }

        // Deleted by somebody: it goes, and comes again, as a static pod does.
        if (now is null || now.Metadata.DeletionTimestamp is not null)
            wake.Release();
    }

    /// <summary>Looks at every component until cancelled.</summary>
    public async Task RunAsync(Node node, CancellationToken ct)
    {
        while (true)
        {
            foreach (var component in components)
            {
                try
                {
                    await LookAsync(component, node, ct);
                }
                catch (ApiException e)
                {
                    NotShown(log, component.Name, e.Message);
                }
            }

            await wake.WaitAsync(components.Any(c => wentAt.ContainsKey(NameOf(c))) ? Away : Every, ct);
        }
    }

    public void Dispose()
    {
        probe.Dispose();
        wake.Dispose();
    }

    private string NameOf(Component component) => $"{component.Name}-{nodeName}";

    private async Task LookAsync(Component component, Node node, CancellationToken ct)
    {
        var name = NameOf(component);
        var pod = seen.GetValueOrDefault(name);
        if (pod?.Metadata.DeletionTimestamp is not null || (pod is not null && pod.Metadata.OwnerReferences?.FirstOrDefault()?.Uid != node.Metadata.Uid))
        {
            await client.DeleteAsync<Pod>(Ns, name, new DeleteOptions { GracePeriodSeconds = 0, Preconditions = new Mesh.Api.Meta.V1.Preconditions { Uid = pod.Metadata.Uid } }, ct);
            return; // the event of its end wakes the loop
        }

        if (pod is null && wentAt.TryGetValue(name, out var went) && time.GetElapsedTime(went) < Away)
            return;
        pod ??= await CreateAsync(name, component, node, ct);
        if (pod is null)
            return;
        var problem = await probe.AskAsync(component, ct);
        var before = pod.Status?.ContainerStatuses?.FirstOrDefault();
        if (before is null || before.Ready != (problem is null))
            statuses.Set(pod, StatusOf(pod, component, before, problem));
    }

    private async Task<Pod?> CreateAsync(string name, Component component, Node node, CancellationToken ct)
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{name} {component.Health}")).AsSpan(0, 16));
        var pod = new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = Ns,
                Labels = new() { ["component"] = component.Name, ["tier"] = "control-plane" },
                Annotations = new() { [Mirror] = hash, ["kubernetes.io/config.hash"] = hash, [Source] = "process" },
                OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = node.Metadata.Uid, Controller = true }],
            },
            Spec = new PodSpec
            {
                NodeName = nodeName,
                HostNetwork = true,
                PriorityClassName = "system-node-critical",
                Tolerations = [new Toleration { Operator = "Exists", Effect = "NoExecute" }],
                Containers = [new Container { Name = component.Name, Image = $"mesh/{component.Name}", ImagePullPolicy = "Never" }],
            },
        };
        try
        {
            return await client.CreateAsync(pod, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return null; // the informer has not told yet
        }
    }

    private PodStatus StatusOf(Pod pod, Component component, ContainerStatus? before, string? problem)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var ready = problem is null;
        var again = ready && before is not null;
        // A process that answers again may be another one: what is counted is that it was away.
        var running = ready ? new ContainerStateRunning { StartedAt = now } : before?.State?.Running ?? new ContainerStateRunning { StartedAt = now };
        var address = addresses() is [var first, ..] ? first : null;
        return new PodStatus
        {
            Phase = "Running",
            StartTime = pod.Status?.StartTime ?? now,
            HostIP = address,
            HostIPs = address is null ? null : [new HostIP { Ip = address }],
            PodIP = address,
            PodIPs = address is null ? null : [new PodIP { Ip = address }],
            QosClass = pod.Status?.QosClass ?? "BestEffort",
            Conditions =
            [
                Condition("PodReadyToStartContainers", true), Condition("Initialized", true), Condition("Ready", ready, "ContainersNotReady", problem),
                Condition("ContainersReady", ready, "ContainersNotReady", problem), Condition("PodScheduled", true),
            ],
            ContainerStatuses =
            [
                new ContainerStatus
                {
                    Name = component.Name, Image = $"mesh/{component.Name}", ImageID = "", Ready = ready, Started = true, RestartCount = (before?.RestartCount ?? 0) + (again ? 1 : 0),
                    State = new ContainerState { Running = running },
                },
            ],
        };

        PodCondition Condition(string type, bool holds, string? reason = null, string? message = null)
        {
            var old = pod.Status?.Conditions?.FirstOrDefault(c => c.Type == type);
            var status = holds ? "True" : "False";
            return new PodCondition
            {
                Type = type,
                Status = status,
                Reason = holds ? null : reason,
                Message = holds ? null : message,
                LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now,
            };
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "component {Component} is not shown as a pod: {Reason}")]
    private static partial void NotShown(ILogger log, string component, string reason);
}
