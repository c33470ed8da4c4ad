using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.NodeAgent.Pods.Status;

/// <summary>
/// Carries pod statuses to the API: the latest wins, one write a pod at a time, unchanged ones are not written, failures are tried
/// again until the pod is gone.
/// </summary>
internal sealed class StatusManager(IKubeClient client, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, Slot> slots = new();

    /// <summary>Wants the API to show this status; returns at once.</summary>
    public void Set(Pod pod, PodStatus status)
    {
        var slot = slots.GetOrAdd(pod.Uid(), _ => new Slot());
        lock (slot)
        {
            var known = slot.Wanted?.Status ?? slot.Sent;
            if (known is not null && PodStatus.SemanticEquals(known, status))
                return;
            if (slot.Wanted is null && slot.Sent is null && PodStatus.SemanticEquals(pod.Status, status))
                return;
            slot.Wanted = (pod, status);
            if (slot.Writer is null)
                slot.Writer = WriteAsync(pod.Uid(), slot);
        }
    }

    /// <summary>Completes when nothing of the pod is waiting to be written.</summary>
    public async Task FlushAsync(string podUid, CancellationToken ct)
    {
        while (slots.TryGetValue(podUid, out var slot))
        {
            Task? writer;
            lock (slot)
                writer = slot.Writer;
            if (writer is null)
                return;
            await writer.WaitAsync(ct);
        }
    }

    /// <summary>The pod is gone: nothing more is written.</summary>
    public void Forget(string podUid)
    {
        if (!slots.TryRemove(podUid, out var slot))
            return;
        lock (slot)
            slot.Gone = true;
    }

    /// <summary>The strategic merge patch that makes the API's status this one.</summary>
    public static byte[] Patch(Pod pod, PodStatus? before, PodStatus status)
    {
        var body = JsonNode.Parse(PodSpecExtensions.ToJson(status.WriteJson))!.AsObject();
        // What is no longer there must be named to go away.
        foreach (var name in (string[])["message", "reason", "initContainerStatuses", "ephemeralContainerStatuses", "podIP", "hostIP", "nominatedNodeName"])
            if (!body.ContainsKey(name))
                body[name] = null;
        foreach (var condition in body["conditions"] as JsonArray ?? [])
        {
            var old = before?.Conditions?.FirstOrDefault(c => c.Type == condition!["type"]?.ToString());
            Drop(condition!.AsObject(), "reason", old?.Reason);
            Drop(condition!.AsObject(), "message", old?.Message);
        }

        foreach (var over in (before?.Conditions ?? []).Where(c => PodConditions.IsOwned(c.Type) && status.Conditions?.Any(n => n.Type == c.Type) != true))
            (body["conditions"] as JsonArray)?.Add(new JsonObject { ["$patch"] = "delete", ["type"] = over.Type });

        // Lists merged by key keep entries that are not named: an address that changed replaces the list.
        Replace(body, "podIPs", before?.PodIPs?.Select(p => p.Ip), status.PodIPs?.Select(p => p.Ip));
        Replace(body, "hostIPs", before?.HostIPs?.Select(p => p.Ip), status.HostIPs?.Select(p => p.Ip));
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Uid() }, ["status"] = body };
        return Encoding.UTF8.GetBytes(patch.ToJsonString(new JsonSerializerOptions()));
    }

    private static void Drop(JsonObject body, string name, string? old)
    {
        if (old is not null && !body.ContainsKey(name))
            body[name] = null;
    }

    private static void Replace(JsonObject body, string name, IEnumerable<string?>? before, IEnumerable<string?>? now)
    {
        var (old, fresh) = (before?.ToList() ?? [], now?.ToList() ?? []);
        if (old.Count == 0 || old.SequenceEqual(fresh))
            return;
        var list = body[name] as JsonArray ?? [];
        list.Add(new JsonObject { ["$patch"] = "replace" });
        body[name] = list;
    }

    private async Task WriteAsync(string uid, Slot slot)
    {
        await Task.Yield();
        var delay = FirstRetry;
        while (true)
        {
            Pod pod;
            PodStatus status;
            lock (slot)
            {
                if (slot.Wanted is not { } wanted || slot.Gone)
                {
                    slot.Writer = null;
                    return;
                }

                (pod, status) = wanted;
            }

            try
            {
                var patch = Patch(pod, slot.Sent ?? pod.Status, status);
                await client.PatchAsync<Pod>(pod.Metadata.Namespace, pod.Metadata.Name!, PatchType.Strategic, patch, "status");
                delay = FirstRetry;
                lock (slot)
                {
                    slot.Sent = status;
                    if (ReferenceEquals(slot.Wanted?.Status, status))
                        slot.Wanted = null;
                }
            }
            catch (ApiException e) when (e.Status.Code is (int)HttpStatusCode.NotFound or (int)HttpStatusCode.Conflict)
            {
                // Gone, or another pod of the same name: either way there is nobody to tell.
                lock (slot)
                    slot.Wanted = null;
            }
            catch (Exception e)
            {
                PodLog.StatusFailed(log, pod.Key(), e.Message);
                await Task.Delay(delay, time);
                delay = delay + delay < LongestRetry ? delay + delay : LongestRetry;
            }
        }
    }

    private sealed class Slot
    {
        public PodStatus? Sent { get; set; }

        public (Pod Pod, PodStatus Status)? Wanted { get; set; }

        public Task? Writer { get; set; }

        public bool Gone { get; set; }
    }
}
