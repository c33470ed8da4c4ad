using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Events;
using Mesh.NodeAgent.Objects;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Runtime;

namespace Mesh.NodeAgent.Images;

/// <summary>An image is not there; the reason is the container's waiting reason.</summary>
internal sealed class ImageException(string reason, string message, DateTime? retryAt) : Exception(message)
{
    public string Reason { get; } = reason;

    /// <summary>When a new try makes sense; null means that only a change helps soon.</summary>
    public DateTime? RetryAt { get; } = retryAt;
}

/// <summary>Sees to it that a container's image is on the node, by its pull policy. One pull an image at a time; failures back off per pod and image.</summary>
internal sealed class ImageManager(IContainerRuntime runtime, ObjectSource objects, IPodEvents events, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> pulls = new();
    private readonly Dictionary<string, (Backoff Backoff, DateTime FailedAt, string Error)> failures = [];
    private readonly Lock gate = new();

    /// <summary>When each image was last used by a container that started here.</summary>
    public ConcurrentDictionary<string, DateTime> LastUsed { get; } = new();

    public async Task<ImageRecord> EnsureAsync(Pod pod, Container container, Cri.PodSandboxConfig? sandbox, CancellationToken ct)
    {
        var name = container.Image ?? "";
        var policy = container.ImagePullPolicy is { Length: > 0 } p ? p : RegistryCredentials.DefaultPolicy(name);
        if (ImageName.Fault(name) is { } fault)
            throw Fail(pod, container, "InvalidImageName", $"Failed to apply default image tag \"{name}\": couldn't parse image name \"{name}\": {fault}", "InspectFailed");
        ImageRecord? image;
        try
        {
            image = await runtime.FindImageAsync(name, ct);
        }
        catch (RuntimeException e)
        {
            throw Fail(pod, container, "ImageInspectError", $"Failed to inspect image \"{name}\": {e.Message}", "InspectFailed");
        }

        if (image is not null && policy != "Always")
        {
            events.Record(pod, container.Name, false, "Pulled", $"Container image \"{name}\" already present on machine and can be accessed by the pod");
            LastUsed[image.Id] = Now;
            return image;
        }

        if (image is null && policy == "Never")
            throw Fail(pod, container, "ErrImageNeverPull", $"Container image \"{name}\" is not present with pull policy of Never", "ErrImageNeverPull");
        image = await PullAsync(pod, container, name, sandbox, ct);
        LastUsed[image.Id] = Now;
        return image;
    }

    /// <summary>Forgets the back-offs of a pod.</summary>
    public void Forget(string podUid)
    {
        lock (gate)
            foreach (var key in failures.Keys.Where(k => k.StartsWith(podUid + " ", StringComparison.Ordinal)).ToList())
                failures.Remove(key);
    }

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    private async Task<ImageRecord> PullAsync(Pod pod, Container container, string name, Cri.PodSandboxConfig? sandbox, CancellationToken ct)
    {
        var key = pod.Uid() + " " + name;
        lock (gate)
        {
            if (failures.TryGetValue(key, out var failure) && failure.Backoff.NotBefore(key, failure.FailedAt, Now) is { } due)
            {
                var waiting = $"Back-off pulling image \"{name}\"";
                events.Record(pod, container.Name, false, "BackOff", waiting);
                events.Record(pod, container.Name, true, "Failed", "Error: ImagePullBackOff");
                throw new ImageException("ImagePullBackOff", $"{waiting}: ErrImagePull: {failure.Error}", due);
            }
        }

        var turn = pulls.GetOrAdd(name, _ => new SemaphoreSlim(1));
        var wait = Stopwatch.StartNew();
        events.Record(pod, container.Name, false, "Pulling", $"Pulling image \"{name}\"");
        await turn.WaitAsync(ct);
        try
        {
            var clock = Stopwatch.StartNew();
            var reference = await PullWithAnyAsync(pod, name, sandbox, ct);
            var image = await runtime.FindImageAsync(reference, ct) ?? await runtime.FindImageAsync(name, ct)
                ?? throw new RuntimeException($"image \"{name}\" is not there after its pull");
            lock (gate)
                failures.Remove(key);
            events.Record(
                pod,
                container.Name,
                false,
                "Pulled",
                $"Successfully pulled image \"{name}\" in {Duration(clock)} ({Duration(wait)} including waiting). Image size: {image.Size.ToString(CultureInfo.InvariantCulture)} bytes.");
            return image;
        }
        catch (RuntimeException e)
        {
            DateTime due;
            lock (gate)
            {
                var backoff = failures.TryGetValue(key, out var failure) ? failure.Backoff : Backoff.Standard();
                backoff.Next(key, Now, Now);
                failures[key] = (backoff, Now, e.Message);
                due = backoff.NotBefore(key, Now, Now) ?? Now;
            }

            events.Record(pod, container.Name, true, "Failed", $"Failed to pull image \"{name}\": {e.Message}");
            events.Record(pod, container.Name, true, "Failed", "Error: ErrImagePull");
            // One second on, the state that users know (ImagePullBackOff) is shown; the pull itself waits for the back-off.
            throw new ImageException("ErrImagePull", e.Message, due < Now.AddSeconds(1) ? due : Now.AddSeconds(1));
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<string> PullWithAnyAsync(Pod pod, string name, Cri.PodSandboxConfig? sandbox, CancellationToken ct)
    {
        var secrets = new List<Secret>();
        foreach (var reference in pod.Spec?.ImagePullSecrets ?? [])
            if (await objects.SecretAsync(pod.Metadata.Namespace!, reference.Name!, TimeSpan.FromSeconds(1), ct) is { } secret)
                secrets.Add(secret);
        var logins = RegistryCredentials.For(name, secrets);
        RuntimeException? last = null;
        foreach (var login in logins)
        {
            try
            {
                return await runtime.PullImageAsync(name, login, sandbox, ct);
            }
            catch (RuntimeException e)
            {
                last = e;
            }
        }

        return logins.Count == 0 ? await runtime.PullImageAsync(name, null, sandbox, ct) : throw last!;
    }

    private ImageException Fail(Pod pod, Container container, string reason, string message, string eventReason)
    {
        events.Record(pod, container.Name, true, eventReason, message);
        events.Record(pod, container.Name, true, "Failed", $"Error: {reason}");
        return new ImageException(reason, message, Now.AddSeconds(10));
    }

    private static string Duration(Stopwatch clock) => clock.Elapsed.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{clock.ElapsedMilliseconds}ms")
        : string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds:0.###}s");
}
