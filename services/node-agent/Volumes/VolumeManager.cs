using System.Collections.Concurrent;
using System.Diagnostics;
using Mesh.Api;
using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Containers;
using Mesh.NodeAgent.Metrics;
using Mesh.NodeAgent.Objects;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent.Volumes;

/// <summary>Makes a pod's volumes on the host, keeps projected ones current, and takes all away again. Stateless: the disk is the state.</summary>
internal sealed class VolumeManager(NodePaths paths, ObjectSource objects, ServiceAccountTokens tokens, TimeProvider time, KubeletMetrics metrics) : IVolumeManager
{
    private const int MountTimeoutSeconds = 120;
    private readonly ConcurrentDictionary<(string Uid, string Volume), ClaimedVolume> claims = new();

    public async Task<IReadOnlyDictionary<string, string>> EnsureAsync(Pod pod, PodFacts facts, TimeSpan maxAge, CancellationToken ct)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var volume in pod.Spec?.Volumes ?? [])
        {
            var started = time.GetTimestamp();
            try
            {
                result[volume.Name!] = await EnsureAsync(pod, volume, facts, maxAge, ct);
                metrics.Storage(PluginOf(pod, volume) ?? "", "volume_mount", time.GetElapsedTime(started), failed: false);
            }
            catch (Exception e) when (e is VolumeException or IOException or UnauthorizedAccessException or ApiException or ContainerConfigException)
            {
                // A claim that is not bound yet has no plugin, and nothing was mounted.
                if (PluginOf(pod, volume) is { } plugin)
                    metrics.Storage(plugin, "volume_mount", time.GetElapsedTime(started), failed: true);
                throw new VolumeException($"MountVolume.SetUp failed for volume \"{volume.Name}\" : {e.Message}", e);
            }
        }

        return result;
    }

    public bool HasLiveVolumes(Pod pod) => (pod.Spec?.Volumes ?? []).Any(v => v.ConfigMap is not null || v.Secret is not null || v.DownwardAPI is not null || v.Projected is not null);

    public string BindSubPath(Pod pod, string volumeName, string volumePath, string container, int index, string subPath)
    {
        var wanted = Path.GetFullPath(Path.Combine(volumePath, subPath));
        if (!Inside(wanted, volumePath))
            throw new ContainerConfigException($"subPath {subPath} leaves the volume {volumeName}");
        if (!Path.Exists(wanted))
            Directory.CreateDirectory(wanted, (UnixFileMode)0x1E8);
        var target = paths.SubPath(pod.Uid(), volumeName, container, index);
        if (LinuxMount.IsMountPoint(target))
            LinuxMount.Unmount(target);

        // Whoever owns the volume may swap links under us: check and mount the very inode that was opened.
        var fd = LinuxMount.OpenPlace(wanted);
        try
        {
            var place = $"/proc/self/fd/{fd}";
            var real = new FileInfo(place).LinkTarget ?? wanted;
            var root = Directory.ResolveLinkTarget(volumePath, returnFinalTarget: true)?.FullName ?? volumePath;
            if (!Inside(real, root))
                throw new ContainerConfigException($"subPath {subPath} leaves the volume {volumeName}");
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (Directory.Exists(real))
                Directory.CreateDirectory(target);
            else if (!File.Exists(target))
                File.WriteAllBytes(target, []);
            LinuxMount.Bind(place, target);
            return target;
        }
        finally
        {
            LinuxMount.ClosePlace(fd);
        }
    }

    public void Remove(string podUid)
    {
        tokens.Forget(podUid);
        foreach (var key in claims.Keys.Where(k => k.Uid == podUid))
            claims.TryRemove(key, out _);
        var directory = paths.Pod(podUid);
        RemoveVolumes(Path.Combine(directory, "volumes"));
        foreach (var mount in LinuxMount.Below(directory))
            LinuxMount.Unmount(mount);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    public IReadOnlyList<string> KnownPods() =>
        Directory.Exists(paths.Pods) ? [.. Directory.EnumerateDirectories(paths.Pods).Select(d => Path.GetFileName(d)!)] : [];

    public IEnumerable<string> Plugins(Pod pod) => (pod.Spec?.Volumes ?? []).Select(v => PluginOf(pod, v)).OfType<string>();

    public IReadOnlyCollection<ClaimedVolume> Claims() => [.. claims.Values];

    /// <summary>Null for a claim that was not found bound, and for kinds that the node does not know.</summary>
    private string? PluginOf(Pod pod, Volume volume) => volume switch
    {
        { HostPath: not null } => "kubernetes.io/host-path",
        { ConfigMap: not null } => "kubernetes.io/configmap",
        { Secret: not null } => "kubernetes.io/secret",
        { DownwardAPI: not null } => "kubernetes.io/downward-api",
        { Projected: not null } => "kubernetes.io/projected",
        { EmptyDir: not null } => "kubernetes.io/empty-dir",
        { Nfs: not null } => "kubernetes.io/nfs",
        _ => claims.TryGetValue((pod.Uid(), volume.Name!), out var claim) ? claim.Plugin : null,
    };

    /// <summary>Takes the volumes away one by one (volumes/kubernetes.io~PLUGIN/NAME), timing each.</summary>
    private void RemoveVolumes(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var plugin in Directory.EnumerateDirectories(directory))
        {
            foreach (var volume in Directory.EnumerateDirectories(plugin))
            {
                var started = time.GetTimestamp();
                var failed = false;
                try
                {
                    foreach (var mount in LinuxMount.Below(volume))
                        LinuxMount.Unmount(mount);
                    Directory.Delete(volume, recursive: true);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The other volumes shall go all the same; what is left fails again with the pod's directory, and that is told.
                    failed = true;
                }

                metrics.Storage(Path.GetFileName(plugin).Replace('~', '/'), "volume_unmount", time.GetElapsedTime(started), failed);
            }
        }
    }

    private static bool Inside(string path, string root) => path == root || path.StartsWith(root.TrimEnd('/') + "/", StringComparison.Ordinal);

    private async Task<string> EnsureAsync(Pod pod, Volume volume, PodFacts facts, TimeSpan maxAge, CancellationToken ct)
    {
        var uid = pod.Uid();
        var name = volume.Name!;
        var ns = pod.Metadata.Namespace!;
        if (volume.HostPath is { } hostPath)
        {
            HostPathChecks.Ensure(hostPath.Path!, hostPath.Type);
            return hostPath.Path!;
        }

        if (volume.ConfigMap is { } map)
        {
            var files = new Dictionary<string, ProjectedFile>(StringComparer.Ordinal);
            VolumeProjection.AddConfigMap(files, await objects.ConfigMapAsync(ns, map.Name!, maxAge, ct), map.Name!, map.Items, map.Optional == true, map.DefaultMode);
            return Write(pod, paths.Volume(uid, "configmap", name), files);
        }

        if (volume.Secret is { } secret)
        {
            var files = new Dictionary<string, ProjectedFile>(StringComparer.Ordinal);
            var source = await objects.SecretAsync(ns, secret.SecretName!, maxAge, ct);
            VolumeProjection.AddSecret(files, source, secret.SecretName!, secret.Items, secret.Optional == true, secret.DefaultMode);
            return Write(pod, InMemory(paths.Volume(uid, "secret", name)), files);
        }

        if (volume.DownwardAPI is { } downward)
        {
            var files = new Dictionary<string, ProjectedFile>(StringComparer.Ordinal);
            VolumeProjection.AddDownward(files, downward.Items, downward.DefaultMode, pod, facts);
            return Write(pod, paths.Volume(uid, "downward-api", name), files);
        }

        if (volume.Projected is { } projected)
            return await ProjectedAsync(pod, name, projected, facts, maxAge, ct);
        if (volume.PersistentVolumeClaim is { } claim)
            return await ClaimAsync(pod, name, claim.ClaimName!, ct);
        if (volume.Ephemeral is not null)
            return await ClaimAsync(pod, name, $"{pod.Metadata.Name}-{name}", ct);
        if (volume.Nfs is { } nfs)
            return await NfsAsync(pod, name, nfs.Server!, nfs.Path!, nfs.ReadOnly == true, ct);
        if (volume.EmptyDir is { } empty)
            return EmptyDirectory(pod, name, empty);
        throw new VolumeException("no volume plugin matched");
    }

    private string EmptyDirectory(Pod pod, string name, EmptyDirVolumeSource source)
    {
        var path = paths.Volume(pod.Uid(), "empty-dir", name);
        var made = !Directory.Exists(path);
        Directory.CreateDirectory(path);
        switch (source.Medium)
        {
            case "Memory":
                if (!LinuxMount.IsMountPoint(path))
                    LinuxMount.Tmpfs(path, source.SizeLimit is { } size && Quantity.TryParse(size, out var limit) ? limit.Value : 0);
                break;
            case null or "":
                break;
            default:
                throw new VolumeException($"unknown storage medium \"{source.Medium}\"");
        }

        if (made)
        {
            File.SetUnixFileMode(path, (UnixFileMode)0x1FF);
            ApplyGroup(pod, path);
        }

        return path;
    }

    private async Task<string> ProjectedAsync(Pod pod, string name, ProjectedVolumeSource source, PodFacts facts, TimeSpan maxAge, CancellationToken ct)
    {
        var ns = pod.Metadata.Namespace!;
        var files = new Dictionary<string, ProjectedFile>(StringComparer.Ordinal);
        var mode = source.DefaultMode;
        foreach (var part in source.Sources ?? [])
        {
            if (part.ConfigMap is { } map)
                VolumeProjection.AddConfigMap(files, await objects.ConfigMapAsync(ns, map.Name!, maxAge, ct), map.Name!, map.Items, map.Optional == true, mode);
            else if (part.Secret is { } secret)
                VolumeProjection.AddSecret(files, await objects.SecretAsync(ns, secret.Name!, maxAge, ct), secret.Name!, secret.Items, secret.Optional == true, mode);
            else if (part.DownwardAPI is { } downward)
                VolumeProjection.AddDownward(files, downward.Items, mode, pod, facts);
            else if (part.ServiceAccountToken is { } token)
                files[token.Path!] = await TokenAsync(pod, token, mode, ct);
            else
                throw new VolumeException("this kind of projection is not supported by the node");
        }

        return Write(pod, InMemory(paths.Volume(pod.Uid(), "projected", name)), files);
    }

    private async Task<ProjectedFile> TokenAsync(Pod pod, ServiceAccountTokenProjection token, int? defaultMode, CancellationToken ct)
    {
        var text = await tokens.GetAsync(pod, token.Audience, token.ExpirationSeconds, ct);
        // Only its reader may read a token: the one user all containers run as, or the volume's group.
        var users = pod.InitContainers().Concat(pod.MainContainers()).Select(c => SecurityContexts.User(pod, c)).Distinct().ToList();
        var owner = users is [{ } only] ? only : (long?)null;
        var mode = owner is not null || pod.Spec?.SecurityContext?.FsGroup is not null ? 0x180 : defaultMode ?? 0x1A4;
        return new ProjectedFile(System.Text.Encoding.UTF8.GetBytes(text), mode, owner);
    }

    private async Task<string> ClaimAsync(Pod pod, string name, string claimName, CancellationToken ct)
    {
        var claim = await objects.GetAsync<PersistentVolumeClaim>(pod.Metadata.Namespace, claimName, TimeSpan.FromSeconds(1), ct)
            ?? throw new VolumeException($"persistentvolumeclaim \"{claimName}\" not found");
        if (claim.Status?.Phase != "Bound" || claim.Spec?.VolumeName is not { Length: > 0 } volumeName)
            throw new VolumeException($"PVC {pod.Metadata.Namespace}/{claimName} is not bound");
        var volume = await objects.GetAsync<PersistentVolume>(null, volumeName, TimeSpan.FromSeconds(1), ct)
            ?? throw new VolumeException($"persistentvolume \"{volumeName}\" not found");
        string Found(string plugin, string path)
        {
            claims[(pod.Uid(), name)] = new ClaimedVolume(pod.Metadata.Namespace!, claimName, plugin, path);
            return path;
        }

        if (volume.Spec?.HostPath is { } host)
        {
            HostPathChecks.Ensure(host.Path!, host.Type is { Length: > 0 } type ? type : "DirectoryOrCreate");
            return Found("kubernetes.io/host-path", host.Path!);
        }

        if (volume.Spec?.Local is { } local)
            return Path.Exists(local.Path) ? Found("kubernetes.io/local-volume", local.Path!) : throw new VolumeException($"path \"{local.Path}\" does not exist");
        if (volume.Spec?.Nfs is { } nfs)
            return Found("kubernetes.io/nfs", await NfsAsync(pod, name, nfs.Server!, nfs.Path!, nfs.ReadOnly == true, ct));
        throw new VolumeException($"the node has no plugin for the kind of volume of {volumeName}");
    }

    private async Task<string> NfsAsync(Pod pod, string name, string server, string export, bool readOnly, CancellationToken ct)
    {
        var path = paths.Volume(pod.Uid(), "nfs", name);
        Directory.CreateDirectory(path);
        if (LinuxMount.IsMountPoint(path))
            return path;
        var start = new ProcessStartInfo("mount") { UseShellExecute = false, RedirectStandardError = true };
        foreach (var argument in new[] { "-t", "nfs", "-o", readOnly ? "ro" : "rw", $"{server}:{export}", path })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new VolumeException("mount could not be started");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(MountTimeoutSeconds));
        var error = await process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode == 0 ? path : throw new VolumeException($"mount failed: exit status {process.ExitCode}: {error.Trim()}");
    }

    private string Write(Pod pod, string path, Dictionary<string, ProjectedFile> files)
    {
        Directory.CreateDirectory(path);
        AtomicWriter.Write(path, files, pod.Spec?.SecurityContext?.FsGroup, time.GetUtcNow().UtcDateTime);
        return path;
    }

    /// <summary>Secrets are never written to disk: a tmpfs first.</summary>
    private static string InMemory(string path)
    {
        Directory.CreateDirectory(path);
        if (!LinuxMount.IsMountPoint(path))
            LinuxMount.Tmpfs(path, 0, 0x1ED);
        return path;
    }

    private static void ApplyGroup(Pod pod, string path)
    {
        if (pod.Spec?.SecurityContext?.FsGroup is not { } group)
            return;
        LinuxMount.Own(path, -1, group);
        File.SetUnixFileMode(path, (UnixFileMode)0x5FF);
    }
}
