namespace Mesh.NodeAgent.Runtime;

/// <summary>Labels and annotations on sandboxes and containers: what lets a restarted agent know its own. Names as kubelet's.</summary>
internal static class RuntimeLabels
{
    public const string PodName = "io.kubernetes.pod.name";
    public const string PodNamespace = "io.kubernetes.pod.namespace";
    public const string PodUid = "io.kubernetes.pod.uid";
    public const string ContainerName = "io.kubernetes.container.name";

    public const string SpecHash = "io.kubernetes.container.hash";
    /// <summary>Requests and limits the container was made with, as JSON.</summary>
    public const string Resources = "mesh.io/container.resources";
    public const string RestartCount = "io.kubernetes.container.restartCount";
    public const string TerminationMessagePath = "io.kubernetes.container.terminationMessagePath";
    public const string TerminationMessagePolicy = "io.kubernetes.container.terminationMessagePolicy";
    public const string GracePeriod = "io.kubernetes.pod.terminationGracePeriod";
    public const string Ports = "io.kubernetes.container.ports";
}
