using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;
using Mesh.NodeAgent.Volumes;

namespace Mesh.NodeAgent.Containers;

/// <summary>A container's mounts: its volumes, the pod's hosts file and the place for its last words.</summary>
internal sealed class MountBuilder(NodePaths paths, IVolumeManager volumes)
{
    private const string DefaultTerminationPath = "/dev/termination-log";

    public List<Cri.Mount> Build(Pod pod, Container spec, IReadOnlyDictionary<string, string> volumePaths, IReadOnlyList<KeyValuePair<string, string>> environment, int restartCount)
    {
        var mounts = new List<Cri.Mount>();
        var index = 0;
        foreach (var mount in spec.VolumeMounts ?? [])
        {
            if (!volumePaths.TryGetValue(mount.Name ?? "", out var hostPath))
                throw new ContainerConfigException($"cannot find volume \"{mount.Name}\" to mount into container \"{spec.Name}\"");
            var subPath = mount.SubPathExpr is { Length: > 0 } expression ? EnvironmentBuilder.ExpandWords([expression], environment).First() : mount.SubPath;
            if (subPath is { Length: > 0 })
                hostPath = volumes.BindSubPath(pod, mount.Name!, hostPath, spec.Name!, index, subPath);
            mounts.Add(new Cri.Mount
            {
                ContainerPath = mount.MountPath!.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath,
                HostPath = hostPath,
                Readonly = mount.ReadOnly == true,
                Propagation = mount.MountPropagation switch
                {
                    "HostToContainer" => Cri.MountPropagation.PropagationHostToContainer,
                    "Bidirectional" => Cri.MountPropagation.PropagationBidirectional,
                    _ => Cri.MountPropagation.PropagationPrivate,
                },
            });
            index++;
        }

        if (mounts.All(m => m.ContainerPath != "/etc/hosts") && File.Exists(paths.HostsFile(pod.Uid())))
            mounts.Add(new Cri.Mount { ContainerPath = "/etc/hosts", HostPath = paths.HostsFile(pod.Uid()) });
        mounts.Add(TerminationLog(pod, spec, restartCount));
        return mounts;
    }

    /// <summary>The last words of an ended container: its file, or the end of its log when the policy says so and it failed.</summary>
    public string LastWords(Pod pod, Container spec, int restartCount, int exitCode)
    {
        const int maxBytes = 4096;
        const int fallbackBytes = 2048;
        const int fallbackLines = 80;
        var file = paths.TerminationLog(pod.Uid(), spec.Name!, restartCount);
        var text = Tail(file, maxBytes);
        if (text.Length > 0 || spec.TerminationMessagePolicy != "FallbackToLogsOnError" || exitCode == 0)
            return text;
        var log = paths.Log(pod, spec.Name!, restartCount);
        var lines = Logs.LogTail.Last(log, fallbackLines);
        var joined = string.Concat(lines);
        return joined.Length <= fallbackBytes ? joined : joined[^fallbackBytes..];
    }

    private Cri.Mount TerminationLog(Pod pod, Container spec, int restartCount)
    {
        var file = paths.TerminationLog(pod.Uid(), spec.Name!, restartCount);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, []);
        // Written by whatever user the container runs as.
        File.SetUnixFileMode(file, (UnixFileMode)0x1B6);
        return new Cri.Mount { ContainerPath = spec.TerminationMessagePath is { Length: > 0 } own ? own : DefaultTerminationPath, HostPath = file };
    }

    private static string Tail(string file, int max)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var buffer = new byte[Math.Min(max, stream.Length)];
            stream.ReadExactly(buffer);
            return System.Text.Encoding.UTF8.GetString(buffer);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
