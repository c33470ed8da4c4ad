using Mesh.Api.Core.V1;
using Mesh.NodeAgent.Pods;

namespace Mesh.NodeAgent;

/// <summary>Where the node keeps what on disk. All under one data directory; nothing is anywhere else.</summary>
internal sealed class NodePaths(string dataDirectory)
{
    public string Data { get; } = dataDirectory;

    public string Containerd => Path.Combine(Data, "containerd");

    public string CniConfig => Path.Combine(Data, "cni", "net.d");

    public string CniState => Path.Combine(Data, "cni", "networks");

    public string Pods => Path.Combine(Data, "pods");

    public string PodLogs => Path.Combine(Data, "pod-logs");

    public string Certificates => Path.Combine(Data, "agent");

    public string Pod(string uid) => Path.Combine(Pods, uid);

    public string Volume(string uid, string plugin, string name) => Path.Combine(Pods, uid, "volumes", "kubernetes.io~" + plugin, name);

    public string SubPath(string uid, string volume, string container, int index) =>
        Path.Combine(Pods, uid, "volume-subpaths", volume, container, index.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public string HostsFile(string uid) => Path.Combine(Pods, uid, "etc-hosts");

    /// <summary>The file a container writes its last words to.</summary>
    public string TerminationLog(string uid, string container, int restartCount) =>
        Path.Combine(Pods, uid, "containers", container, restartCount.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public string LogDirectory(Pod pod) => Path.Combine(PodLogs, $"{pod.Metadata.Namespace}_{pod.Metadata.Name}_{pod.Uid()}");

    /// <summary>The log file of a container's run.</summary>
    public string Log(Pod pod, string container, int restartCount) => Path.Combine(LogDirectory(pod), Containers.ContainerConfigBuilder.LogPath(container, restartCount));
}
